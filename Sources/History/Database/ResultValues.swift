internal import Health

/// The numbers of one result, as `recent` and `settled` have them; times in microseconds.
struct ResultValues: Sendable {
    static let columns = "offset_ms, kind, address, rest_us, dns_us, connect_us, tls_us, processing_us, transfer_us, lateness_us"
    static let count: Int32 = 10

    /// From the base of the chunk to the start of the probe, in milliseconds.
    var offset: Int64
    var kind: Int64
    /// A place in `target_address`, the text itself, or none.
    var address: Cell
    /// The part of the duration that is in no phase.
    var rest: Int64
    var dns: Int64?
    var connect: Int64?
    var tls: Int64?
    var processing: Int64?
    var transfer: Int64?
    var lateness: Int64

    var duration: Int64 { rest + (dns ?? 0) + (connect ?? 0) + (tls ?? 0) + (processing ?? 0) + (transfer ?? 0) }

    init(_ row: ResultRow, offset: Int64, kind: Int64, address: Cell) {
        (self.offset, self.kind, self.address) = (offset, kind, address)
        let phases = row.phases
        (dns, connect) = (phases.dns?.wholeMicroseconds, phases.connect?.wholeMicroseconds)
        (tls, processing) = (phases.tls?.wholeMicroseconds, phases.processing?.wholeMicroseconds)
        transfer = phases.transfer?.wholeMicroseconds
        lateness = row.lateness.wholeMicroseconds
        rest = 0
        rest = row.duration.wholeMicroseconds - duration
    }

    /// - Parameter column: where ``columns`` begin.
    init(_ row: CellReader, from column: Int32) {
        offset = row.number(column)
        kind = row.number(column + 1)
        address = row.cell(column + 2)
        rest = row.number(column + 3)
        dns = row.integer(column + 4)
        connect = row.integer(column + 5)
        tls = row.integer(column + 6)
        processing = row.integer(column + 7)
        transfer = row.integer(column + 8)
        lateness = row.number(column + 9)
    }

    func bind(to statement: Prepared, from index: Int32) {
        statement.bind(offset, at: index)
        statement.bind(kind, at: index + 1)
        statement.bind(address, at: index + 2)
        statement.bind(rest, at: index + 3)
        statement.bind(dns, at: index + 4)
        statement.bind(connect, at: index + 5)
        statement.bind(tls, at: index + 6)
        statement.bind(processing, at: index + 7)
        statement.bind(transfer, at: index + 8)
        statement.bind(lateness, at: index + 9)
    }
}
