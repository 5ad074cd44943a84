/// The known word that was probably meant, or nil when none is near.
package func nearest(to word: String, among known: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let word = word.lowercased()
    let candidates = known.compactMap { candidate -> (word: String, distance: Int)? in
        // A third of a word may be wrong, and of a short one a letter; `v4` is no misspelling of `v6`.
        let most = max(1, candidate.count / 3)
        guard candidate.count > 2, abs(candidate.count - word.count) <= most else { return nil }
        let distance = editDistance(word, candidate.lowercased())
        return distance <= most ? (candidate, distance) : nil
    }
    return candidates.min { ($0.distance, $0.word) < ($1.distance, $1.word) }?.word
}

/// How many insertions, deletions, substitutions and swaps of neighbours make one word of another: the restricted
/// Damerau-Levenshtein distance.
private func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 1...a.count {
        var row = [i]
        for j in 1...b.count {
            var distance = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { distance = min(distance, beforeLast[j - 2] + 1) }
            row.append(distance)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
