import ArgumentParser
import Daemon
import Glibc
import Health
import History
import Pages
import Settings
import TargetsAPI
import Terminal

struct TargetsListCommand: AsyncParsableCommand {
    enum Order: String, ExpressibleByArgument, CaseIterable { case name, region, status, latency }

    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the targets, with their status if the daemon's database can be read.")

    @OptionGroup var options: APIOptions

    @Option(help: ArgumentHelp("Only targets whose name matches. Case matters. * is any text.", valueName: "pattern"))
    var name: String?

    @Option(help: ArgumentHelp("Only targets whose region matches.", valueName: "pattern"))
    var region: String?

    @Option(help: "Only targets with this rule effect: allow, deny or another of the API.")
    var effect: Target.RuleEffect?

    @Option(help: "The order of the list: name, region, status (worst first) or latency (slowest first).")
    var sort = Order.name

    @Option(help: ArgumentHelp("The daemon's database, if there is no --config.", valueName: "file"), completion: .file())
    var database: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let access = try options.open()
        let targets = try await access.run(.list) { client throws(APIError) in try await APIAccess.list(client).targets }
        let known = try statuses(access)
        var rows = targets.filter(isWanted).map { TargetRow(target: $0, status: known[$0.identity]) }
        rows.sort { (sortKey($0), $0.target.name, $0.target.identity) < (sortKey($1), $1.target.name, $1.target.identity) }
        if json {
            try printData(try JSONEnvelope.text(kind: "targets", at: .now(), rows.map(TargetItem.init)))
        } else {
            try printData(
                targetTable(rows, of: targets.count, hasStatus: !known.isEmpty, style: .detect(descriptor: STDOUT_FILENO)))
        }
    }

    private func isWanted(_ target: Target) -> Bool {
        (name.map { Glob($0).matches(target.name) } ?? true) && (region.map { Glob($0).matches(target.region) } ?? true)
            && (effect == nil || effect == target.ruleEffect)
    }

    private func sortKey(_ row: TargetRow) -> String {
        switch sort {
        case .name: row.target.name
        case .region: row.target.region
        // Those that need looking at first.
        case .status: ["down": "0", "degraded": "1", "unknown": "2", "up": "3"][row.status?.status.rawValue ?? "unknown"] ?? ""
        case .latency:
            String(format(Int64.max - (row.status?.lastProbe?.duration.wholeMicroseconds ?? 0)))
        }
    }

    private func format(_ number: Int64) -> String { String(repeating: "0", count: max(0, 19 - "\(number)".count)) + "\(number)" }

    /// What the daemon believes: of the database that was given, or of the configuration's, where there is one already.
    private func statuses(_ access: APIAccess) throws -> [TargetIdentity: TargetStatusRow] {
        guard let path = database ?? access.database, database != nil || Glibc.access(path, F_OK) == 0 else { return [:] }
        let rows: [TargetStatusRow]
        do throws(HistoryError) { rows = try HistoryReader.open(path: path).statuses() } catch {
            if database != nil { throw Failure(.unreachable, "\(error)") }
            printError("without the daemon's statuses: \(error)")
            return [:]
        }
        return Dictionary(rows.map { ($0.target.identity, $0) }) { first, _ in first }
    }
}

struct TargetsGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Show one target.")

    @OptionGroup var options: APIOptions

    @Argument(help: "The target's id or its name.", completion: .targetNames)
    var target: String

    @Option(help: ArgumentHelp("The target's region, when two targets have the same name.", valueName: "region"))
    var region: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let access = try options.open()
        let found = try await access.run(.list) { _ in try await access.find(target, region: region) }
        try show(found, json: json)
    }
}

struct TargetRow: Sendable {
    var target: Target
    var status: TargetStatusRow?
}

/// One target as `--json` prints it; names as in the views and the API.
struct TargetItem: Encodable {
    var targetID: String
    var clientID: String
    var target: String
    var region: String
    var baseURL: String
    var testPath: String
    var ruleEffect: String
    /// The daemon's, where its database was read.
    @OrNull var status: String?
    @OrNull var lastDurationUs: Int64?

    init(_ row: TargetRow) {
        let target = row.target
        (targetID, clientID, self.target) = (target.identity.key, target.identity.clientID, target.name)
        (region, baseURL, testPath) = (target.region, target.baseURL, target.testPath)
        ruleEffect = target.ruleEffect.rawValue
        status = row.status?.status.rawValue
        lastDurationUs = row.status?.lastProbe?.duration.wholeMicroseconds
    }
}

/// - Parameter total: before they were filtered.
func targetTable(_ rows: [TargetRow], of total: Int, hasStatus: Bool, style: TerminalStyle) -> String {
    guard !rows.isEmpty else {
        return switch total {
        case 0: "No targets.\n"
        case 1: "The only target does not match.\n"
        default: "None of \(total) targets matches.\n"
        }
    }
    var columns = [Table.Column("Target", minimum: 16), Table.Column("Region", minimum: 6, leaves: 4)]
    if hasStatus { columns += [Table.Column("Status"), Table.Column("Latency", alignment: .right, leaves: 2)] }
    // An id that is cut can't be given to any command: it is shown whole or not at all.
    columns += [Table.Column("URL", minimum: 16), Table.Column("Effect", leaves: 1), Table.Column("Id", leaves: 3)]
    let cells = rows.map { row -> [Table.Cell] in
        let (target, status) = (row.target, row.status?.status ?? .unknown)
        let shown = urlWithoutSecrets(target.baseURL + target.testPath)
        let own = [
            Table.Cell(style.words(for: status), colour: style.colour(of: status)),
            Table.Cell(row.status?.lastProbe.map { durationWords($0.duration, isUnicode: style.isUnicode) } ?? "-"),
        ]
        return [Table.Cell(target.name), Table.Cell(target.region)] + (hasStatus ? own : [])
            + [Table.Cell(shown), Table.Cell(target.ruleEffect.rawValue), Table.Cell(target.identity.key)]
    }
    return Table(columns: columns, rows: cells).text(style) + "\n\(counted(rows.count, "target"))\n"
}

/// One target, member by member.
func show(_ target: Target, json: Bool) throws {
    if json {
        try printData(try JSONEnvelope.text(kind: "targets", at: .now(), [TargetItem(TargetRow(target: target))]))
        return
    }
    let lines = [
        ("id", target.identity.key), ("client", target.identity.clientID), ("name", target.name), ("region", target.region),
        ("base URL", urlWithoutSecrets(target.baseURL)), ("test path", urlWithoutSecrets(target.testPath)),
        ("rule effect", target.ruleEffect.rawValue),
    ]
    for (name, value) in lines { try printData("\(name.padded(to: 11))  \(displayText(value, limit: .max))\n") }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension Target.RuleEffect: ExpressibleByArgument {}
