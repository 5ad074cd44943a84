/// The id of a row of results or of their minutes: chunk, then target, then ordinal.
///
/// A chunk's rows are one run in the order of their ids, so each table grows at its end and ages at its front, and one target's rows of one
/// chunk are found by one search. 53 bits in all for the next twenty years: a reader whose numbers are doubles reads them exactly.
enum ResultID {
    static let ordinalBits: Int64 = 10
    static let targetBits: Int64 = 22
    /// How many rows one chunk may have of one target.
    static let ordinalsMax = 1 << ordinalBits
    static let ordinalMax = ordinalsMax - 1
    static let targetMax: Int64 = 1 << targetBits - 1
    static let inChunkBits = ordinalBits + targetBits
    /// The bits of the target and the ordinal.
    static let inChunkMask: Int64 = 1 << inChunkBits - 1

    static func make(chunk: Int64, target: Int64, ordinal: Int = 0) -> Int64 {
        chunk << inChunkBits | target << ordinalBits | Int64(ordinal)
    }

    static func chunk(_ id: Int64) -> Int64 { id >> inChunkBits }
    static func target(_ id: Int64) -> Int64 { id >> ordinalBits & targetMax }
    /// Target and ordinal.
    static func inChunk(_ id: Int64) -> Int64 { id & inChunkMask }

    /// The ids that one chunk may have of some targets.
    static func range(chunk: Int64, targets: Range<Int64>) -> Range<Int64> {
        make(chunk: chunk, target: targets.lowerBound)..<make(chunk: chunk, target: targets.upperBound)
    }
}

/// The id of a row of an hour or a day: the number of the hour or day, then the target.
enum PeriodID {
    static func make(period: Int64, target: Int64) -> Int64 { period << ResultID.targetBits | target }
    static func period(_ id: Int64) -> Int64 { id >> ResultID.targetBits }
    static func target(_ id: Int64) -> Int64 { id & ResultID.targetMax }
}

/// The same in SQL: each takes an expression and gives one in parentheses.
extension ResultID {
    /// The first id of a chunk, or of a commit in `recent`.
    static func firstSQL(_ chunk: String) -> String { "(\(chunk) << \(inChunkBits))" }
    static func chunkSQL(_ id: String) -> String { "(\(id) >> \(inChunkBits))" }
    static func targetSQL(_ id: String) -> String { "(\(id) >> \(ordinalBits) & \(targetMax))" }
    static func inChunkSQL(_ id: String) -> String { "(\(id) & \(inChunkMask))" }
    /// The last id that one chunk may have of one target.
    static func lastSQL(_ chunk: String, target: String) -> String {
        "((\(chunk) << \(inChunkBits)) | (\(target) << \(ordinalBits)) | \(ordinalMax))"
    }
}

extension PeriodID {
    static func makeSQL(_ period: String, target: String) -> String { "((\(period) << \(ResultID.targetBits)) | \(target))" }
    static func firstSQL(_ period: String) -> String { "((\(period)) << \(ResultID.targetBits))" }
    static func periodSQL(_ id: String) -> String { "(\(id) >> \(ResultID.targetBits))" }
    static func targetSQL(_ id: String) -> String { "(\(id) & \(ResultID.targetMax))" }
}
