internal import CCurl

/// Which socket it is, whoever had its number before or has it later.
struct SocketOpening: Hashable {
    let number: UInt64
    /// Of a connection that others may reuse.
    let place: KeptConnections.Place?
}

/// The sockets of the engine that are watched.
struct OpenSockets {
    struct Reading {
        let descriptor: Int32
        let opening: SocketOpening
        fileprivate let bytes: Int64

        /// How many bytes were read from it since, at least: what arrives meanwhile makes nobody guilty.
        func grown() -> Int64 { rf_read_bytes_at_least(descriptor) - bytes }
    }

    private var openings: [Int32: SocketOpening] = [:]
    private var last: UInt64 = 0

    mutating func opened(_ descriptor: Int32, _ place: KeptConnections.Place? = nil) -> SocketOpening {
        last += 1
        let opening = SocketOpening(number: last, place: place)
        openings[descriptor] = opening
        return opening
    }

    mutating func closed(_ descriptor: Int32) { openings[descriptor] = nil }

    func has(_ reading: Reading) -> Bool { openings[reading.descriptor] == reading.opening }

    /// What was read from each so far. One that is closed meanwhile may be read as another's, and then ``has(_:)`` is false.
    func readings() -> [Reading] {
        openings.compactMap { descriptor, opening in
            let bytes = rf_read_bytes_at_most(descriptor)
            return bytes < 0 ? nil : Reading(descriptor: descriptor, opening: opening, bytes: bytes)
        }
    }
}
