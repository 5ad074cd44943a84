internal import GRDB
internal import Health

/// The last good list of every client: rows of `target` that are `listed`. Each client has a row of its own in `remembered_client`, because an
/// empty list is not the same as no list.
enum PersistedLists {
    /// Writes the differences from the list that is in the database.
    static func write(_ db: Database, _ list: [Target], client: String) throws {
        try db.run("INSERT OR IGNORE INTO remembered_client VALUES (?)", [.text(client)])
        let upsert = """
            INSERT INTO target (client_id, target_id, name, region, base_url, test_path, rule_effect, probe, listed)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
            ON CONFLICT (client_id, target_id) DO UPDATE SET name = excluded.name, region = excluded.region,
                base_url = excluded.base_url, test_path = excluded.test_path, rule_effect = excluded.rule_effect,
                probe = excluded.probe, listed = 1
            WHERE (name, region, base_url, test_path, rule_effect, probe, listed)
                IS NOT (excluded.name, excluded.region, excluded.base_url, excluded.test_path, excluded.rule_effect, excluded.probe, 1)
            """
        var keys: Set<String> = []
        for target in list where target.identity.clientID == client && keys.insert(target.identity.key).inserted {
            try db.run(upsert, cells(target))
        }
        var gone: [Int64] = []
        try db.run("SELECT id, target_id FROM target WHERE client_id = ? AND listed = 1", [.text(client)]) { row in
            if let id = row.integer(0), !keys.contains(row.text(1) ?? "") { gone.append(id) }
            return true
        }
        for id in gone { try db.run("UPDATE target SET listed = 0 WHERE id = ?", [.integer(id)]) }
    }

    /// The client is no longer asked: it has no list, which is not the same as an empty list.
    static func forget(_ db: Database, client: String) throws {
        try db.run("DELETE FROM remembered_client WHERE client_id = ?", [.text(client)])
        try db.run("UPDATE target SET listed = 0 WHERE client_id = ? AND listed = 1", [.text(client)])
    }

    /// Gives a row to a target that left its list before the list was written: its results need a name.
    static func name(_ db: Database, _ target: Target) throws {
        try db.run(
            """
            INSERT OR IGNORE INTO target (client_id, target_id, name, region, base_url, test_path, rule_effect, probe, listed)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)
            """, cells(target))
    }

    private static func cells(_ target: Target) -> [Cell] {
        [
            .text(target.identity.clientID), .text(target.identity.key), .text(target.name), .text(target.region),
            .text(target.baseURL), .text(target.testPath), .text(target.ruleEffect.rawValue),
            target.probe.map { .text($0) } ?? .null,
        ]
    }

    static func all(_ db: Database) throws -> [String: [Target]] {
        var lists: [String: [Target]] = [:]
        try db.run("SELECT client_id FROM remembered_client") { row in
            lists[row.text(0) ?? ""] = []
            return true
        }
        // One text for all targets of a client.
        var clients: [String: String] = [:]
        try db.run("SELECT \(columns) FROM target WHERE listed = 1 ORDER BY id") { row in
            let text = row.text(0) ?? ""
            let clientID = clients[text] ?? text
            clients[clientID] = clientID
            lists[clientID, default: []].append(target(row, clientID: clientID))
            return true
        }
        return lists
    }

    private static let columns = "client_id, target_id, name, region, base_url, test_path, rule_effect, probe"

    private static func target(_ row: CellReader, clientID: String) -> Target {
        Target(
            identity: TargetIdentity(clientID: clientID, key: row.text(1) ?? ""), name: row.text(2) ?? "",
            baseURL: row.text(4) ?? "", testPath: row.text(5) ?? "", region: row.text(3) ?? "",
            ruleEffect: row.text(6).map(Target.RuleEffect.init(rawValue:)) ?? .allow, probe: row.text(7))
    }

    static func targets(_ db: Database, where condition: String, _ word: String) throws -> [Target] {
        var targets: [Target] = []
        try db.run("SELECT \(columns) FROM target WHERE \(condition) ORDER BY id", [.text(word)]) { row in
            targets.append(target(row, clientID: row.text(0) ?? ""))
            return true
        }
        return targets
    }
}
