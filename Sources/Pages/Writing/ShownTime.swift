package import Health

/// A moment in UTC as the pages show it: the script adds the local time, and how long ago it was.
package struct ShownTime: Hashable, Sendable {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// For `datetime`, to the second.
    let machine: String
    let text: String

    /// - Parameters:
    ///   - page: when the page was made: of the same day only the time is shown.
    ///   - seconds: whether seconds are shown.
    ///   - zone: whether `UTC` is said; false in a column whose head says so.
    package init(_ moment: Timestamp, page: Timestamp, seconds: Bool = true, zone: Bool = true) {
        let whole = moment.description
        machine = whole.prefix(19) + "Z"
        let clock = whole.dropFirst(11).prefix(seconds ? 8 : 5) + (zone ? " UTC" : "")
        text = whole.prefix(10) == page.description.prefix(10) ? String(clock) : Self.day(moment, of: page) + " " + clock
    }

    /// The day alone, with its year: of a certificate's end.
    package init(dateOf moment: Timestamp) {
        machine = moment.description.prefix(19) + "Z"
        text = Self.day(moment, of: nil)
    }

    /// `21 Nov`, and with its year unless it is the page's.
    static func day(_ moment: Timestamp, of page: Timestamp?) -> String {
        let text = moment.description
        let (year, month, day) = (text.prefix(4), Int(text.dropFirst(5).prefix(2)) ?? 1, Int(text.dropFirst(8).prefix(2)) ?? 1)
        let short = "\(day) \(months[min(max(month, 1), 12) - 1])"
        return page.map { $0.description.prefix(4) == year } ?? false ? short : "\(short) \(year)"
    }
}
