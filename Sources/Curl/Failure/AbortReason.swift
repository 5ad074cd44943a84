/// Why this side ends a transfer, or can't go on with it. libcurl knows only that a callback said no.
enum AbortReason: Hashable {
    /// The errno of a call of ours: no socket, no place in the epoll set, no memory for a handshake. libcurl may go on all the same.
    case systemCall(Int32)
    case head(AnswerHead.Fault)
    /// A kept connection held an answer before the request was made.
    case unaskedAnswer
    /// What came was neither header nor body for too long.
    case flood
    case bodyTooLarge(limit: Int)
    case addressDenied
    case caFileUnreadable(path: String)

    /// The callback that says so is to tell libcurl to stop.
    var endsTransfer: Bool {
        if case .systemCall = self { false } else { true }
    }

    /// The first reason stays. A failed call of ours gives way to another reason: libcurl went on without the call.
    func isReplaced(by other: AbortReason) -> Bool { !endsTransfer && other.endsTransfer }

    /// nil for a flood: whose failure it is depends on how far the connection has come.
    var code: TransferFailure.Code? {
        switch self {
        case .systemCall: .localFault
        case .head, .unaskedAnswer: .protocolError
        case .flood: nil
        case .bodyTooLarge: .bodyTooLarge
        case .addressDenied: .addressDenied
        case .caFileUnreadable: .caFileUnreadable
        }
    }

    /// As in ``TransferFailure/detail``.
    var words: String {
        switch self {
        case .systemCall(let error): systemErrorText(error)
        case .head(.lengthUnclear): "its Content-Length is no number, or more than one"
        case .head(.codingUnknown): "its Transfer-Encoding is none that was asked for"
        case .head(.tooLong): "more than \(AnswerHead.byteLimit) bytes of headers"
        case .unaskedAnswer: "its kept connection held an answer that nobody had asked for"
        case .flood: "it sends on and on, and most of that is neither header nor body"
        case .bodyTooLarge(let limit): "more than \(limit) bytes"
        case .addressDenied: ""
        case .caFileUnreadable(let path): "error setting certificate file: \(path)"
        }
    }

    var systemError: Int32? {
        if case .systemCall(let error) = self { error } else { nil }
    }
}
