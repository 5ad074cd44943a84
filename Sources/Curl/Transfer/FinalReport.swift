internal import CCurl
internal import Glibc

/// From the handle, while it still knows, to the report.
extension Transfer {
    /// - Parameter isCutOff: libcurl has not come to an end of its own.
    func finalReport(_ failure: TransferFailure?, isCutOff: Bool) -> TransferReport {
        guard times.beganAt > 0 else { return .unstarted(failure ?? .init(.cancelled)) }
        var report = report
        report.failure = failure
        guard let handle, state == .running else {
            report.duration = .nanoseconds(monotonicNanoseconds() - times.beganAt)
            return report
        }
        let marks = LibcurlMarks(
            handle.pointer, isReused: !openedSocket, isProxied: request.proxy != nil,
            handshake: (handshake?.beganAt).flatMap { times.microsecondsSinceAdded($0) },
            answered: times.answeredAt.flatMap { times.microsecondsSinceAdded($0) })
        // libcurl's clock stops with the transfer, ours when the loop comes round to it. Cut off from outside, libcurl's hasn't stopped.
        let end = isCutOff ? monotonicNanoseconds() : times.addedAt + UInt64(marks.total) * 1000
        report.duration = .nanoseconds(end - times.beganAt)
        marks.write(to: &report, withTLS: handshake != nil)
        // What a kept connection cost that was good for nothing went by before there was a connection.
        if let firstAddedAt = times.firstAddedAt {
            report.connect = (report.connect ?? .zero) + .nanoseconds(times.addedAt - firstAddedAt)
        }
        readAnswer(handle.pointer, &report)
        handshake?.write(to: &report)
        return report
    }

    private func readAnswer(_ easy: UnsafeMutableRawPointer, _ report: inout TransferReport) {
        if request.proxy == nil, let text = rf_get_string(easy, CURLINFO_PRIMARY_IP).map({ String(cString: $0) }), !text.isEmpty,
            let connected = SocketAddress(text)
        {
            report.address = connected
        }
        let status = status
        // libcurl takes `HTTP/2 2 00` for a status of 2, and `HTTP/2 2000` for one of 2000.
        guard (100...999).contains(status) else { return }
        report.status = status
        report.usedTLS = handshake != nil
        report.httpVersion =
            switch rf_get_long(easy, CURLINFO_HTTP_VERSION) {
            case CURL_HTTP_VERSION_1_0: 1.0
            case CURL_HTTP_VERSION_1_1: 1.1
            case CURL_HTTP_VERSION_2_0: 2
            case CURL_HTTP_VERSION_3: 3
            default: nil
            }
        let length = rf_get_offset(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
        report.contentLength = length < 0 ? nil : Int(length)
        report.bodyProblem = head.decoding.problem
        var header: UnsafeMutablePointer<curl_header>?
        if curl_easy_header(easy, "Location", 0, UInt32(CURLH_HEADER), -1, &header) == CURLHE_OK, let header {
            let value = UnsafeRawBufferPointer(start: header.pointee.value, count: strlen(header.pointee.value))
            report.location = referenceText(Array(value))
            report.setCookies = head.setCookies
        }
        if curl_easy_header(easy, "Last-Modified", 0, UInt32(CURLH_HEADER), -1, &header) == CURLHE_OK, let header {
            let seconds = curl_getdate(header.pointee.value, nil)
            report.lastModifiedSeconds = seconds < 0 ? nil : Int64(seconds)
        }
        report.headers = head.fields.fields.map { name, value in
            // What is followed must keep its bytes; the others are shown and compared.
            (name, name.lowercased() == "link" ? referenceText(value) : String(decoding: value, as: UTF8.self))
        }
    }
}

/// A header's value that names a URL. As in browsers: text in UTF-8, else the bytes as they are, percent-encoded.
private func referenceText(_ value: [UInt8]) -> String {
    if let text = String(validating: value, as: UTF8.self) { return text }
    let digits = Array("0123456789abcdef".utf8)
    let ascii = value.flatMap { byte in
        byte < 0x80 ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xf)]]
    }
    return String(decoding: ascii, as: UTF8.self)
}

extension TransferTimes {
    /// As libcurl counts; nil before libcurl got the transfer.
    fileprivate func microsecondsSinceAdded(_ nanoseconds: UInt64) -> curl_off_t? {
        nanoseconds > addedAt ? curl_off_t((nanoseconds - addedAt) / 1000) : nil
    }
}

/// libcurl's marks, in microseconds since it began; 0 where it didn't come so far.
private struct LibcurlMarks {
    let nameLookup, connect, appConnect, preTransfer, startTransfer, total: curl_off_t
    let isReused: Bool

    init(_ easy: UnsafeMutableRawPointer, isReused: Bool, isProxied: Bool, handshake: curl_off_t?, answered: curl_off_t?) {
        self.isReused = isReused
        nameLookup = rf_get_offset(easy, CURLINFO_NAMELOOKUP_TIME_T)
        let connected = rf_get_offset(easy, CURLINFO_CONNECT_TIME_T)
        // Through a proxy the connection stands when the proxy has opened it.
        let open = isProxied ? rf_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T) : connected
        connect = isProxied ? handshake ?? open : connected > 0 ? connected : handshake ?? 0
        appConnect = rf_get_offset(easy, CURLINFO_APPCONNECT_TIME_T)
        preTransfer = rf_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T)
        // A busy thread reads an answer late, and that is no time of the server's.
        startTransfer = min(rf_get_offset(easy, CURLINFO_STARTTRANSFER_TIME_T), max(preTransfer, answered ?? .max))
        total = max(0, rf_get_offset(easy, CURLINFO_TOTAL_TIME_T))
    }

    /// The last phase that was reached has the rest of the time.
    func write(to report: inout TransferReport, withTLS: Bool) {
        let span = { (from: curl_off_t, to: curl_off_t) in Duration.microseconds(max(0, (to > 0 ? to : total) - from)) }
        if isReused {
            report.connect = .zero
            report.tls = withTLS ? .zero : nil
        } else {
            report.connect = span(nameLookup, connect)
            guard connect > 0 else { return }
            if withTLS {
                report.tls = span(connect, appConnect)
                guard appConnect > 0 else { return }
            }
        }
        guard preTransfer > 0 else { return }
        report.processing = span(preTransfer, startTransfer)
        guard startTransfer > 0 else { return }
        report.transfer = span(startTransfer, total)
    }
}
