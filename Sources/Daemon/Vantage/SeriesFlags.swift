import Alerting
import Exposition
import Health

/// Keeps on `/metrics` what follows from the time and from no single result: which targets are in a maintenance window, whose alert is held, and
/// how many targets can't be probed.
struct SeriesFlags: Sendable {
    let maintenance: MaintenanceBook
    let alerter: Alerter
    let series: TargetSeries
    let reconciler: TargetReconciler

    func check() {
        maintenance.refresh(at: .now())
        series.beginFlagging()
        series.flag(held: alerter.held, inMaintenance: maintenance.covered)
        reconciler.publishCounts()
    }
}
