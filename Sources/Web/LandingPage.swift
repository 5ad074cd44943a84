import Health

/// `/`: where a person lands who opens the listener in a browser.
enum LandingPage {
    static func html(version: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><title>Rangefinder</title></head>
        <body>
        <h1>Rangefinder</h1>
        <p>Version \(escaped(version)). It probes the targets of the Targets API and tells how they are.</p>
        <ul>
        <li><a href="/metrics">/metrics</a>: for Prometheus</li>
        <li><a href="/-/healthy">/-/healthy</a>: whether the process lives</li>
        <li><a href="/-/ready">/-/ready</a>: whether it does its work</li>
        </ul>
        </body>
        </html>

        """
    }

    /// Text for the body of a page or a quoted attribute.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in displayText(text) {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
