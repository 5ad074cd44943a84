import Health
import Synchronization

/// Reads the probe settings that stand beside a target in a targets file (``Health/Target/probe``), over those that the target has without.
///
/// Each target carries its settings as the text that it has, so a list and the settings of its targets are taken, held and remembered together.
/// Where the files of secrets are is no part of what a configuration says: any two of these are equal.
final class OwnSettings: Hashable, Sendable {
    private struct Question: Hashable {
        let text: String
        let base: ProbePolicy
        let isPrivate: Bool
    }

    /// Many targets may have the same, and each is asked for again and again. Past the bound all are read anew.
    private static let knownMax = 100_000

    private let configurationPath: String
    private let surroundings: ProcessEnvironment
    private let known = Mutex<[Question: ProbePolicy]>([:])

    init(configurationPath: String = "", surroundings: ProcessEnvironment = .system()) {
        (self.configurationPath, self.surroundings) = (configurationPath, surroundings)
    }

    static func == (one: OwnSettings, other: OwnSettings) -> Bool { true }
    func hash(into hasher: inout Hasher) {}

    /// The policy of a target with these settings. Where they can't be read now, it has a ``ProbePolicy/fault``.
    func policy(_ text: String, over base: ProbePolicy, of target: Target) -> ProbePolicy {
        let question = Question(text: text, base: base, isPrivate: Self.isPrivate(target))
        if let policy = known.withLock({ $0[question] }) { return policy }
        let diagnostics = Diagnostics()
        if let value = Document.read(Array(text.utf8), diagnostics: diagnostics),
            let policy = read(value, over: base, of: target, diagnostics), !diagnostics.hasErrors
        {
            known.withLock { known in
                if known.count >= Self.knownMax { known = [:] }
                known[question] = policy
            }
            return policy
        }
        // What can't be read now may be there the next time.
        var policy = base
        let why = diagnostics.sorted.first { $0.severity == .error }?.message ?? "they are no mapping"
        policy.fault = "the probe settings of this target can't be used here: \(why)"
        return policy
    }

    /// A secret may be another one by now.
    func forget() { known.withLock { $0 = [:] } }

    /// - Parameter value: the section `probe` of the target.
    func read(_ value: Value, over base: ProbePolicy, of target: Target, _ diagnostics: Diagnostics) -> ProbePolicy? {
        let context = ReadingContext(diagnostics: diagnostics, surroundings: surroundings, configurationPath: configurationPath)
        let refusal =
            Self.isPrivate(target)
            ? nil : "goes only over https, or to this machine; the URL of this target is neither"
        return ValueParser.mapping(ProbeKeys(context: context, secretRefusal: refusal), over: base).read(value, diagnostics)
    }

    /// Whether nobody else reads what is sent to it.
    private static func isPrivate(_ target: Target) -> Bool {
        SplitURL(target.baseURL).map { $0.scheme == "https" || isLoopback(host: $0.host) } ?? false
    }

    static func writtenKeys(_ text: String) -> [WrittenKey] {
        Document.read(Array(text.utf8), diagnostics: Diagnostics())?.writtenKeys() ?? []
    }
}

extension Value {
    /// The same as YAML in one line.
    var flow: String {
        switch content {
        case .null: "null"
        // A word without quotes may mean a number or a truth value. What else it has would mean something in one line.
        case .plain(let text):
            text.utf8.allSatisfy { isASCIIAlphanumeric($0) || "-._+".utf8.contains($0) } ? text : TargetsFile.quoted(text)
        case .quoted(let text): TargetsFile.quoted(text)
        case .list(let values): "[" + values.map(\.flow).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\(TargetsFile.quoted($0.name)): \($0.value.flow)" }.joined(separator: ", ") + "}"
        }
    }
}

private func isASCIIAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: false
    }
}
