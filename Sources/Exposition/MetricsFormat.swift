/// The two forms of a page of metrics.
package enum MetricsFormat: Hashable, Sendable, CaseIterable {
    /// https://prometheus.io/docs/instrumenting/exposition_formats/
    case text
    /// https://github.com/OpenObservability/OpenMetrics, 1.0.0.
    case openMetrics

    package var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }
}

/// One name on the page: all its lines stand together under one header.
struct Family: Sendable {
    enum Kind: String, Sendable { case gauge, counter, histogram }

    /// As it stands in the lines: a counter's ends in `_total`.
    let name: String
    let kind: Kind
    let help: String

    init(_ kind: Kind, _ name: String, _ help: String) {
        (self.name, self.kind, self.help) = (name, kind, help)
    }

    /// OpenMetrics names a counter without the suffix of its lines.
    func title(in format: MetricsFormat) -> String {
        guard format == .openMetrics, kind == .counter, name.hasSuffix("_total") else { return name }
        return String(name.dropLast("_total".utf8.count))
    }

    /// OpenMetrics wants a unit only where the name ends in it.
    var unit: String? {
        let title = title(in: .openMetrics)
        return ["seconds", "bytes"].first { title.hasSuffix("_" + $0) }
    }
}
