import Curl
import Daemon
import Health
import History
import Probing
import Settings

/// Why the daemon could not probe a target, as far as its record alone tells: it has no URL, or its host is an address that egress denies.
/// Nil when nothing speaks against it; what a name resolves to is known when it is probed.
func unprobeableSentence(_ target: Target, join: ProbePolicy.PathJoin, egress: EgressRule) -> String? {
    do throws(URLProblem) {
        return egressSentence(try testURL(of: target, join: join), egress)
    } catch {
        return error.sentence(for: target)
    }
}

/// What to do about a target that the daemon can't probe. Without a configuration its record and the last result have to do.
func unprobeableRemedy(_ row: TargetStatusRow, _ settings: Settings?) -> String {
    let join = settings?.policy(for: row.target).pathJoin
    let sentence = join.flatMap { unprobeableSentence(row.target, join: $0, egress: settings?.egress ?? EgressRule()) }
    if let sentence = sentence ?? neverProbeableSentence(row.target) { return sentence }
    return row.lastProbe?.outcome.reason == .urlInvalid
        ? "its base URL and test path make no URL that may be probed; correct them, see `rangefinder probe --target`"
        : "egress denies where its name leads; to have it probed, add that address to egress.allow, see `rangefinder probe --target`"
}

/// Why a record could not be probed under any configuration. Nil when there is one under which it can.
func neverProbeableSentence(_ target: Target) -> String? {
    var sentence: String?
    for join in ProbePolicy.PathJoin.allCases {
        do throws(URLProblem) {
            _ = try testURL(of: target, join: join)
            return nil
        } catch {
            sentence = sentence ?? error.sentence(for: target)
        }
    }
    return sentence
}

/// Says of targets that are about to be made which the daemon's egress rule denies.
func noteDenied(_ targets: [Target], _ egress: EgressRule) {
    let notes = targets.compactMap { target in
        unprobeableSentence(target, join: .resolve, egress: egress).map { "\(displayText(target.name)): \($0)" }
    }
    for note in notes.prefix(noteMax) { printError("note: \(note)") }
    if notes.count > noteMax { printError("note: and \(notes.count - noteMax) more") }
}

private let noteMax = 10

private func egressSentence(_ url: URLParts, _ egress: EgressRule) -> String? {
    literalAddress(of: url).flatMap { denialSentence($0, egress, of: url.host) }
}

/// That the daemon would not connect to an address, and what opens it.
func denialSentence(_ address: IPAddress, _ egress: EgressRule, of host: String) -> String? {
    egress.denial(of: address).map { denial in
        let what = address.description == host ? "\(address)" : "\(displayText(host)) (\(address))"
        return "\(what) is \(denial), which egress denies; to have it probed, add \(address) to egress.allow"
    }
}
