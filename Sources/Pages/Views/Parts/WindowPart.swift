import Health

/// The maintenance windows that are open, and the form that begins one for a target, its host or its region: for the partial `windows`.
struct WindowPart {
    let windows: [OpenWindow]
    let target: TargetIdentity
    let host: String?
    let region: String

    func context(_ frame: PageFrame) -> [String: Any] {
        guard let token = frame.formToken else { return [:] }
        let back = frame.path + (frame.query.isEmpty ? "" : "?" + frame.query)
        return [
            "openWindows": windows.map { window -> [String: Any] in
                var row: [String: Any] = [
                    "id": "\(window.id)", "match": shownText(window.match, limit: 200), "token": token, "back": back,
                    "until": ShownTime(window.until, page: frame.asOf).context,
                ]
                if !window.note.isEmpty { row["note"] = shownText(window.note, limit: displayTextLimit) }
                return row
            }, "scopes": scopes,
        ]
    }

    private var scopes: [[String: Any]] {
        func scope(_ value: String, _ shown: String) -> [String: Any] { ["value": value, "shown": shown] }
        // A pattern's own characters can't be escaped: what has them is only matched by more than it means.
        func isPlain(_ text: String) -> Bool { !text.contains("*") && !text.contains("?") }
        var scopes: [[String: Any]] = []
        if isPlain(target.key) { scopes.append(scope("id=\(target.key)", "this target")) }
        if let host, isPlain(host) {
            let name = host.contains(":") ? "[\(host)]" : host
            scopes.append(scope("url=*://\(name):*", "all of \(shownText(host, limit: 40))"))
        }
        if !region.isEmpty, isPlain(region) {
            scopes.append(scope("region=\(region)", "the region \(shownText(region, limit: 40))"))
        }
        return scopes
    }
}
