/// Whole pages, as they have to be.
enum Golden {}

extension Golden {
    static let text = #"""
        # HELP rangefinder_build_info What this daemon was built from: always 1
        # TYPE rangefinder_build_info gauge
        rangefinder_build_info{version="0.1.0"} 1
        # HELP rangefinder_targets Targets of the lists, by what becomes of them
        # TYPE rangefinder_targets gauge
        rangefinder_targets{state="active"} 3
        rangefinder_targets{state="disabled"} 0
        rangefinder_targets{state="filtered"} 0
        rangefinder_targets{state="rejected"} 1
        rangefinder_targets{state="unprobeable"} 0
        # HELP rangefinder_probes_in_flight Probes that have started and not ended
        # TYPE rangefinder_probes_in_flight gauge
        rangefinder_probes_in_flight 0
        # HELP rangefinder_probe_latency_seconds How long probes took, of those that counted
        # TYPE rangefinder_probe_latency_seconds histogram
        rangefinder_probe_latency_seconds_bucket{le="0.001"} 0
        rangefinder_probe_latency_seconds_bucket{le="0.0025"} 0
        rangefinder_probe_latency_seconds_bucket{le="0.005"} 3
        rangefinder_probe_latency_seconds_bucket{le="0.01"} 3
        rangefinder_probe_latency_seconds_bucket{le="0.025"} 3
        rangefinder_probe_latency_seconds_bucket{le="0.05"} 4
        rangefinder_probe_latency_seconds_bucket{le="0.1"} 4
        rangefinder_probe_latency_seconds_bucket{le="0.25"} 4
        rangefinder_probe_latency_seconds_bucket{le="0.5"} 4
        rangefinder_probe_latency_seconds_bucket{le="1.0"} 4
        rangefinder_probe_latency_seconds_bucket{le="2.5"} 4
        rangefinder_probe_latency_seconds_bucket{le="5.0"} 4
        rangefinder_probe_latency_seconds_bucket{le="10.0"} 4
        rangefinder_probe_latency_seconds_bucket{le="30.0"} 4
        rangefinder_probe_latency_seconds_bucket{le="60.0"} 4
        rangefinder_probe_latency_seconds_bucket{le="+Inf"} 4
        rangefinder_probe_latency_seconds_sum 0.03425
        rangefinder_probe_latency_seconds_count 4
        # HELP rangefinder_probe_lateness_seconds How long after their due times probes started
        # TYPE rangefinder_probe_lateness_seconds histogram
        rangefinder_probe_lateness_seconds_bucket{le="0.0001"} 0
        rangefinder_probe_lateness_seconds_bucket{le="0.00025"} 1
        rangefinder_probe_lateness_seconds_bucket{le="0.0005"} 1
        rangefinder_probe_lateness_seconds_bucket{le="0.001"} 1
        rangefinder_probe_lateness_seconds_bucket{le="0.0025"} 4
        rangefinder_probe_lateness_seconds_bucket{le="0.005"} 4
        rangefinder_probe_lateness_seconds_bucket{le="0.01"} 4
        rangefinder_probe_lateness_seconds_bucket{le="0.025"} 4
        rangefinder_probe_lateness_seconds_bucket{le="0.05"} 4
        rangefinder_probe_lateness_seconds_bucket{le="0.1"} 4
        rangefinder_probe_lateness_seconds_bucket{le="0.25"} 4
        rangefinder_probe_lateness_seconds_bucket{le="0.5"} 4
        rangefinder_probe_lateness_seconds_bucket{le="1.0"} 4
        rangefinder_probe_lateness_seconds_bucket{le="2.5"} 4
        rangefinder_probe_lateness_seconds_bucket{le="10.0"} 4
        rangefinder_probe_lateness_seconds_bucket{le="+Inf"} 4
        rangefinder_probe_lateness_seconds_sum 0.00612
        rangefinder_probe_lateness_seconds_count 4
        # HELP rangefinder_probes_tainted_total Probes that started too late to count
        # TYPE rangefinder_probes_tainted_total counter
        rangefinder_probes_tainted_total 0
        # HELP rangefinder_probe_failures_total Bad results of all targets, by reason
        # TYPE rangefinder_probe_failures_total counter
        rangefinder_probe_failures_total{reason="dns_failed"} 0
        rangefinder_probe_failures_total{reason="address_denied"} 0
        rangefinder_probe_failures_total{reason="connect_refused"} 3
        rangefinder_probe_failures_total{reason="connect_timeout"} 0
        rangefinder_probe_failures_total{reason="connect_reset"} 0
        rangefinder_probe_failures_total{reason="connection_closed"} 0
        rangefinder_probe_failures_total{reason="network_unreachable"} 0
        rangefinder_probe_failures_total{reason="proxy_failed"} 0
        rangefinder_probe_failures_total{reason="tls_handshake_failed"} 0
        rangefinder_probe_failures_total{reason="certificate_expired"} 0
        rangefinder_probe_failures_total{reason="certificate_not_yet_valid"} 0
        rangefinder_probe_failures_total{reason="certificate_untrusted"} 0
        rangefinder_probe_failures_total{reason="certificate_name_mismatch"} 0
        rangefinder_probe_failures_total{reason="timeout"} 0
        rangefinder_probe_failures_total{reason="protocol_error"} 0
        rangefinder_probe_failures_total{reason="too_many_redirects"} 0
        rangefinder_probe_failures_total{reason="redirect_denied"} 0
        rangefinder_probe_failures_total{reason="body_too_large"} 0
        rangefinder_probe_failures_total{reason="status_unexpected"} 0
        rangefinder_probe_failures_total{reason="body_mismatch"} 0
        rangefinder_probe_failures_total{reason="url_invalid"} 0
        rangefinder_probe_failures_total{reason="prober_fault"} 0
        # HELP rangefinder_probes_missed_total Due times for which no probe had started when the next one came
        # TYPE rangefinder_probes_missed_total counter
        rangefinder_probes_missed_total 0
        # HELP rangefinder_probes_skipped_total Due times that were passed over, by reason
        # TYPE rangefinder_probes_skipped_total counter
        rangefinder_probes_skipped_total{reason="in_flight"} 1
        # HELP rangefinder_rechecks_deferred_total Fast re-checks that had to wait for the budget
        # TYPE rangefinder_rechecks_deferred_total counter
        rangefinder_rechecks_deferred_total 0
        # HELP rangefinder_sync_last_success_timestamp_seconds When the target list was last fetched and applied, in\#
         unixtime; 0 when it never was
        # TYPE rangefinder_sync_last_success_timestamp_seconds gauge
        rangefinder_sync_last_success_timestamp_seconds 1705924800.123
        # HELP rangefinder_sync_failures_total Syncs that failed, by reason
        # TYPE rangefinder_sync_failures_total counter
        rangefinder_sync_failures_total{reason="timeout"} 1
        # HELP rangefinder_sync_held Whether a list that lost too much is held back
        # TYPE rangefinder_sync_held gauge
        rangefinder_sync_held 0
        # HELP rangefinder_history_samples_total Results that were committed
        # TYPE rangefinder_history_samples_total counter
        rangefinder_history_samples_total 4
        # HELP rangefinder_history_dropped_samples_total Results that were lost because the queue was full
        # TYPE rangefinder_history_dropped_samples_total counter
        rangefinder_history_dropped_samples_total 0
        # HELP rangefinder_history_commit_seconds How long commits took
        # TYPE rangefinder_history_commit_seconds histogram
        rangefinder_history_commit_seconds_bucket{le="0.001"} 0
        rangefinder_history_commit_seconds_bucket{le="0.0025"} 0
        rangefinder_history_commit_seconds_bucket{le="0.005"} 1
        rangefinder_history_commit_seconds_bucket{le="0.01"} 1
        rangefinder_history_commit_seconds_bucket{le="0.025"} 1
        rangefinder_history_commit_seconds_bucket{le="0.05"} 1
        rangefinder_history_commit_seconds_bucket{le="0.1"} 1
        rangefinder_history_commit_seconds_bucket{le="0.25"} 1
        rangefinder_history_commit_seconds_bucket{le="0.5"} 1
        rangefinder_history_commit_seconds_bucket{le="1.0"} 1
        rangefinder_history_commit_seconds_bucket{le="2.5"} 1
        rangefinder_history_commit_seconds_bucket{le="5.0"} 1
        rangefinder_history_commit_seconds_bucket{le="10.0"} 1
        rangefinder_history_commit_seconds_bucket{le="+Inf"} 1
        rangefinder_history_commit_seconds_sum 0.004
        rangefinder_history_commit_seconds_count 1
        # HELP rangefinder_history_size_bytes Size of the database
        # TYPE rangefinder_history_size_bytes gauge
        rangefinder_history_size_bytes 4096
        # HELP rangefinder_history_wal_bytes Size of the database's write-ahead log
        # TYPE rangefinder_history_wal_bytes gauge
        rangefinder_history_wal_bytes 8192
        # HELP rangefinder_vantage_healthy Whether the daemon trusts what it sees: 0 when its own place may be what fails
        # TYPE rangefinder_vantage_healthy gauge
        rangefinder_vantage_healthy 1
        # HELP rangefinder_alerts_sent_total Alerts and messages that were sent, by what became of them
        # TYPE rangefinder_alerts_sent_total counter
        rangefinder_alerts_sent_total{result="success"} 7
        rangefinder_alerts_sent_total{result="failure"} 2
        # HELP rangefinder_alerts_queued Alerts and messages that wait to be taken
        # TYPE rangefinder_alerts_queued gauge
        rangefinder_alerts_queued 3
        # HELP rangefinder_alerts_set_aside_total Messages that a channel refused for good and that are kept unsent
        # TYPE rangefinder_alerts_set_aside_total counter
        rangefinder_alerts_set_aside_total{channel="webhook 1"} 6
        rangefinder_alerts_set_aside_total{channel="webhook http://hook/"} 0
        # HELP rangefinder_detection_exceptions_total How often something kept a target's detection bound from being promised, by reason
        # TYPE rangefinder_detection_exceptions_total counter
        rangefinder_detection_exceptions_total{reason="maintenance"} 4
        rangefinder_detection_exceptions_total{reason="vantage_doubt"} 5
        rangefinder_detection_exceptions_total{reason="recheck_deferred"} 0
        rangefinder_detection_exceptions_total{reason="void"} 0
        # HELP rangefinder_config_last_reload_successful Whether the last load of the configuration succeeded
        # TYPE rangefinder_config_last_reload_successful gauge
        rangefinder_config_last_reload_successful 1
        # HELP rangefinder_config_last_reload_success_timestamp_seconds When the configuration was last loaded successfully,\#
         in unixtime
        # TYPE rangefinder_config_last_reload_success_timestamp_seconds gauge
        rangefinder_config_last_reload_success_timestamp_seconds 1705924800.123
        # HELP probe_success Displays whether or not the probe was a success
        # TYPE probe_success gauge
        probe_success{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 1
        probe_success{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        # HELP probe_duration_seconds Returns how long the probe took to complete in seconds
        # TYPE probe_duration_seconds gauge
        probe_duration_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 0.02525
        probe_duration_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0.003
        # HELP probe_timeout_seconds Returns how long the probe timeout is in seconds
        # TYPE probe_timeout_seconds gauge
        probe_timeout_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 10
        probe_timeout_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 10
        # HELP probe_dns_lookup_time_seconds Returns the time taken for probe dns lookup in seconds
        # TYPE probe_dns_lookup_time_seconds gauge
        probe_dns_lookup_time_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"}\#
         0.001
        probe_dns_lookup_time_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0.001
        # HELP probe_ip_protocol Specifies whether probe ip protocol is IP4 or IP6
        # TYPE probe_ip_protocol gauge
        probe_ip_protocol{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 6
        probe_ip_protocol{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",region="eu"} 4
        # HELP probe_http_duration_seconds Duration of http request by phase, summed over all redirects
        # TYPE probe_http_duration_seconds gauge
        probe_http_duration_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        phase="resolve"} 0.001
        probe_http_duration_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        phase="connect"} 0.002
        probe_http_duration_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        phase="tls"} 0.01225
        probe_http_duration_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        phase="processing"} 0.0095
        probe_http_duration_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        phase="transfer"} 0.0005
        probe_http_duration_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",phase="resolve"} 0.001
        probe_http_duration_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",phase="connect"} 0
        probe_http_duration_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",phase="tls"} 0
        probe_http_duration_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",phase="processing"} 0
        probe_http_duration_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",phase="transfer"} 0
        # HELP probe_http_status_code Response HTTP status code
        # TYPE probe_http_status_code gauge
        probe_http_status_code{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 200
        probe_http_status_code{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0
        # HELP probe_http_version Returns the version of HTTP of the probe response
        # TYPE probe_http_version gauge
        probe_http_version{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 1.1
        probe_http_version{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        # HELP probe_http_ssl Indicates if SSL was used for the final redirect
        # TYPE probe_http_ssl gauge
        probe_http_ssl{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 1
        probe_http_ssl{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        # HELP probe_http_redirects The number of redirects
        # TYPE probe_http_redirects gauge
        probe_http_redirects{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 0
        probe_http_redirects{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0
        # HELP probe_http_content_length Length of http content response
        # TYPE probe_http_content_length gauge
        probe_http_content_length{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} -1
        probe_http_content_length{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0
        # HELP probe_http_uncompressed_body_length Length of uncompressed response body
        # TYPE probe_http_uncompressed_body_length gauge
        probe_http_uncompressed_body_length{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 512
        probe_http_uncompressed_body_length{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        # HELP probe_ssl_earliest_cert_expiry Returns last SSL chain expiry in unixtime
        # TYPE probe_ssl_earliest_cert_expiry gauge
        probe_ssl_earliest_cert_expiry{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 1735689600
        # HELP probe_tls_version_info Returns the TLS version used or NaN when unknown
        # TYPE probe_tls_version_info gauge
        probe_tls_version_info{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        version="TLS 1.3"} 1
        # HELP rangefinder_target_status What is believed of the target: exactly one of the four is 1
        # TYPE rangefinder_target_status gauge
        rangefinder_target_status{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        status="unknown"} 0
        rangefinder_target_status{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        status="up"} 1
        rangefinder_target_status{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        status="degraded"} 0
        rangefinder_target_status{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        status="down"} 0
        rangefinder_target_status{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",status="unknown"} 0
        rangefinder_target_status{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",status="up"} 0
        rangefinder_target_status{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",status="degraded"} 0
        rangefinder_target_status{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",status="down"} 1
        rangefinder_target_status{target_id="t3",target="New",instance="https://api.example/health",region="us-east-1",\#
        status="unknown"} 1
        rangefinder_target_status{target_id="t3",target="New",instance="https://api.example/health",region="us-east-1",\#
        status="up"} 0
        rangefinder_target_status{target_id="t3",target="New",instance="https://api.example/health",region="us-east-1",\#
        status="degraded"} 0
        rangefinder_target_status{target_id="t3",target="New",instance="https://api.example/health",region="us-east-1",\#
        status="down"} 0
        # HELP rangefinder_target_status_code The target's status: 0 unknown, 1 up, 2 degraded, 3 down
        # TYPE rangefinder_target_status_code gauge
        rangefinder_target_status_code{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 1
        rangefinder_target_status_code{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 3
        rangefinder_target_status_code{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1"} 0
        # HELP rangefinder_target_consecutive_failures Bad results in a row up to now
        # TYPE rangefinder_target_consecutive_failures gauge
        rangefinder_target_consecutive_failures{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 0
        rangefinder_target_consecutive_failures{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 3
        rangefinder_target_consecutive_failures{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1"} 0
        # HELP rangefinder_target_last_probe_timestamp_seconds When the last probe that counted started, in unixtime
        # TYPE rangefinder_target_last_probe_timestamp_seconds gauge
        rangefinder_target_last_probe_timestamp_seconds{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 1705924800.123
        rangefinder_target_last_probe_timestamp_seconds{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 1705924800.123
        # HELP rangefinder_target_probes_total Probes of the target by what they ended in
        # TYPE rangefinder_target_probes_total counter
        rangefinder_target_probes_total{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1",result="success"} 1
        rangefinder_target_probes_total{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1",result="failure"} 0
        rangefinder_target_probes_total{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1",result="void"} 0
        rangefinder_target_probes_total{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",result="success"} 0
        rangefinder_target_probes_total{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",result="failure"} 3
        rangefinder_target_probes_total{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu",result="void"} 0
        rangefinder_target_probes_total{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1",result="success"} 0
        rangefinder_target_probes_total{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1",result="failure"} 0
        rangefinder_target_probes_total{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1",result="void"} 0
        # HELP rangefinder_target_failure_reason Why the last probe was bad; absent when it was not
        # TYPE rangefinder_target_failure_reason gauge
        rangefinder_target_failure_reason{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu",reason="connect_refused"} 1
        # HELP rangefinder_target_detection_bound_seconds The longest time from when every probe that starts fails to the\#
         first byte of the alert
        # TYPE rangefinder_target_detection_bound_seconds gauge
        rangefinder_target_detection_bound_seconds{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 63.5
        rangefinder_target_detection_bound_seconds{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 63.5
        rangefinder_target_detection_bound_seconds{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1"} 63.5
        # HELP rangefinder_target_held Whether the target's alert waits because the vantage is in doubt
        # TYPE rangefinder_target_held gauge
        rangefinder_target_held{target_id="t1",target="API",\#
        instance="https://api.example/health",region="us-east-1"} 0
        rangefinder_target_held{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 1
        rangefinder_target_held{target_id="t3",target="New",\#
        instance="https://api.example/health",region="us-east-1"} 0
        # HELP rangefinder_target_in_maintenance Whether the target is in a maintenance window
        # TYPE rangefinder_target_in_maintenance gauge
        rangefinder_target_in_maintenance{target_id="t1",target="API",\#
        instance="https://api.example/health",region="us-east-1"} 1
        rangefinder_target_in_maintenance{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        rangefinder_target_in_maintenance{target_id="t3",target="New",\#
        instance="https://api.example/health",region="us-east-1"} 0

        """#
}
