internal import CCurl
internal import CReceive
internal import Glibc

/// From the handle, while it still knows, to the report.
extension Transfer {
    /// - Parameter isCutOff: libcurl has not come to an end of its own.
    func finalReport(_ failure: TransferFailure?, isCutOff: Bool) -> TransferReport {
        guard times.beganAt > 0 else { return .unstarted(failure ?? .init(.cancelled)) }
        let now = monotonicNanoseconds()
        if case .lookingUp = state { lookupEnded(at: now, noticed: now) }
        var report = report
        report.failure = failure
        report.connect = times.lost.map { .nanoseconds($0) }
        if let handle, state == .running {
            phases(handle.timeline.pointee, now: now, isCutOff: isCutOff).write(to: &report)
            if let lost = times.lost { report.connect = (report.connect ?? .zero) + .nanoseconds(lost) }
            report.wasHeldUp = report.wasHeldUp || handle.timeline.pointee.is_late
            readAnswer(handle.pointer, &report)
            handshake?.write(to: &report)
        }
        report.duration = report.sumOfPhases
        report.selfDelay = .nanoseconds(selfDelay)
        if isCutOff, now >= times.deadline {
            let timeout = times.deadline - times.beganAt
            report.wasHeldUp =
                report.wasHeldUp || Overdue.isOurs(timeout: timeout, spent: report.duration, selfDelay: report.selfDelay)
        }
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
        report.head = head.text
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
