internal import CPCRE2
internal import Glibc
internal import Synchronization

/// A compiled pattern of PCRE2. It may be matched on any thread.
///
/// Every match is bounded: bodies come from strangers, and a backtracking pattern can be made to run for hours on 30 bytes.
package final class BodyPattern: Sendable {
    /// So much of a body is looked at, in bytes.
    package static let bodyLimit = 256 << 10

    /// Steps of one place of the body: PCRE2 counts anew where it starts anew. Its own default is ten times this.
    private static let stepsMax: UInt32 = 1_000_000
    private static let heapKiBMax: UInt32 = 20_000
    /// Of processor time, over all places. Callouts before the items of the pattern look at the clock.
    private static let nanosecondsMax: UInt64 = 100_000_000

    enum Answer: Hashable { case matches, matchesNot, gaveUp }

    // Never changed after it was compiled, which PCRE2 allows to share among threads.
    private nonisolated(unsafe) let code: OpaquePointer

    /// - Throws: PCRE2's words, with the place of the mistake.
    init(_ pattern: String) throws(Mistake) {
        var error: Int32 = 0
        var offset = 0
        let options =
            UInt32(PCRE2_UTF) | UInt32(PCRE2_MATCH_INVALID_UTF) | UInt32(PCRE2_NEVER_BACKSLASH_C) | UInt32(PCRE2_AUTO_CALLOUT)
        let bytes = Array(pattern.utf8)
        guard let code = pcre2_compile_8(bytes, bytes.count, options, &error, &offset, nil) else {
            throw Mistake(sentence: "\(Self.words(error)) (at its character \(Self.character(at: offset, of: bytes)))")
        }
        self.code = code
    }

    deinit { pcre2_code_free_8(code) }

    struct Mistake: Error { let sentence: String }

    /// What is wrong with a pattern, or nil.
    package static func problem(of pattern: String) -> String? {
        do throws(Mistake) {
            _ = try BodyPattern(pattern)
            return nil
        } catch {
            return error.sentence
        }
    }

    /// Whether it matches anywhere in `body`.
    func match(_ body: ArraySlice<UInt8>) -> Answer {
        guard let data = pcre2_match_data_create_8(1, nil), let context = pcre2_match_context_create_8(nil) else {
            return .gaveUp
        }
        defer {
            pcre2_match_data_free_8(data)
            pcre2_match_context_free_8(context)
        }
        pcre2_set_match_limit_8(context, Self.stepsMax)
        pcre2_set_heap_limit_8(context, Self.heapKiBMax)
        var watch = MatchDeadline(deadline: processorNanoseconds() + Self.nanosecondsMax)
        let found = withUnsafeMutablePointer(to: &watch) { watch in
            pcre2_set_callout_8(context, stopWhenLate, watch)
            return body.withUnsafeBufferPointer { bytes in
                // PCRE2 takes no null pointer, not even with a length of 0.
                var none: UInt8 = 0
                return withUnsafePointer(to: &none) { empty in
                    pcre2_match_8(code, bytes.baseAddress ?? empty, bytes.count, 0, 0, data, context)
                }
            }
        }
        // 0: it matches, and has more groups than there was room for, which nobody asks after.
        if found >= 0 { return .matches }
        return found == PCRE2_ERROR_NOMATCH ? .matchesNot : .gaveUp
    }

    private static func words(_ error: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = pcre2_get_error_message_8(error, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<Int(count)], as: UTF8.self) : "error \(error)"
    }

    private static func character(at offset: Int, of bytes: [UInt8]) -> Int {
        String(decoding: bytes.prefix(offset), as: UTF8.self).count + 1
    }
}

/// The clock of this thread's work: what other threads do meanwhile is no fault of the body's.
private func processorNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Looks at the clock now and then: each look is a system call, and harmless patterns call out hundreds of thousands of times.
private struct MatchDeadline {
    let deadline: UInt64
    var callouts = 0
}

private func stopWhenLate(
    _: UnsafeMutablePointer<pcre2_callout_block_8>?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let watch = context?.assumingMemoryBound(to: MatchDeadline.self) else { return 0 }
    watch.pointee.callouts &+= 1
    // Not more seldom: between two callouts PCRE2 may go through all of the body.
    guard watch.pointee.callouts % 32 == 0 else { return 0 }
    return processorNanoseconds() > watch.pointee.deadline ? PCRE2_ERROR_CALLOUT : 0
}

/// Patterns that were compiled already; a reload can bring others, so past its bound all are forgotten, which costs compiling again.
final class PatternCache: Sendable {
    private static let limit = 1000
    private let patterns = Mutex<[String: BodyPattern]>([:])

    func pattern(_ text: String) throws(BodyPattern.Mistake) -> BodyPattern {
        if let known = patterns.withLock({ $0[text] }) { return known }
        let pattern = try BodyPattern(text)
        patterns.withLock { known in
            if known.count >= Self.limit { known = [:] }
            known[text] = pattern
        }
        return pattern
    }
}
