/// A part of the targets, the same in every process and on every machine: `2/5` is the second of five.
package struct Shard: Hashable, Sendable, CustomStringConvertible {
    /// From 1 to ``count``.
    package let index: Int
    package let count: Int

    /// nil unless 1 ≤ index ≤ count.
    package init?(index: Int, count: Int) {
        guard index >= 1, index <= count else { return nil }
        self.index = index
        self.count = count
    }

    /// Reads `INDEX/COUNT`, both in plain digits.
    package init?(_ text: some StringProtocol, countLimit: Int) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: "/") }
        guard isPlain, parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]), count <= countLimit else {
            return nil
        }
        self.init(index: index, count: count)
    }

    package var description: String { "\(index)/\(count)" }

    package func holds(_ target: TargetIdentity) -> Bool { stableHash(target) % UInt64(count) == UInt64(index - 1) }
}
