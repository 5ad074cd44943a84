extension Golden {
    static let openMetrics = #"""
        # TYPE rangefinder_build_info gauge
        # HELP rangefinder_build_info What this daemon was built from: always 1
        rangefinder_build_info{version="0.1.0"} 1
        # TYPE rangefinder_targets gauge
        # HELP rangefinder_targets Targets of the lists, by what becomes of them
        rangefinder_targets{state="active"} 3
        rangefinder_targets{state="disabled"} 0
        rangefinder_targets{state="filtered"} 0
        rangefinder_targets{state="rejected"} 1
        rangefinder_targets{state="unprobeable"} 0
        # TYPE rangefinder_probes_in_flight gauge
        # HELP rangefinder_probes_in_flight Probes that have started and not ended
        rangefinder_probes_in_flight 0
        # TYPE rangefinder_probe_latency_seconds histogram
        # UNIT rangefinder_probe_latency_seconds seconds
        # HELP rangefinder_probe_latency_seconds How long probes took, of those that counted
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
        # TYPE rangefinder_probe_lateness_seconds histogram
        # UNIT rangefinder_probe_lateness_seconds seconds
        # HELP rangefinder_probe_lateness_seconds How long after their due times probes started
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
        # TYPE rangefinder_probes_tainted counter
        # HELP rangefinder_probes_tainted Probes that started too late to count
        rangefinder_probes_tainted_total 0
        # TYPE rangefinder_probe_failures counter
        # HELP rangefinder_probe_failures Bad results of all targets, by reason
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
        # TYPE rangefinder_probes_missed counter
        # HELP rangefinder_probes_missed Due times for which no probe had started when the next one came
        rangefinder_probes_missed_total 0
        # TYPE rangefinder_probes_skipped counter
        # HELP rangefinder_probes_skipped Due times that were passed over, by reason
        rangefinder_probes_skipped_total{reason="in_flight"} 1
        # TYPE rangefinder_rechecks_deferred counter
        # HELP rangefinder_rechecks_deferred Fast re-checks that had to wait for the budget
        rangefinder_rechecks_deferred_total 0
        # TYPE rangefinder_sync_last_success_timestamp_seconds gauge
        # UNIT rangefinder_sync_last_success_timestamp_seconds seconds
        # HELP rangefinder_sync_last_success_timestamp_seconds When the target list was last fetched and applied, in\#
         unixtime; 0 when it never was
        rangefinder_sync_last_success_timestamp_seconds 1705924800.123
        # TYPE rangefinder_sync_failures counter
        # HELP rangefinder_sync_failures Syncs that failed, by reason
        rangefinder_sync_failures_total{reason="timeout"} 1
        # TYPE rangefinder_sync_held gauge
        # HELP rangefinder_sync_held Whether a list that lost too much is held back
        rangefinder_sync_held 0
        # TYPE rangefinder_history_samples counter
        # HELP rangefinder_history_samples Results that were committed
        rangefinder_history_samples_total 4
        # TYPE rangefinder_history_dropped_samples counter
        # HELP rangefinder_history_dropped_samples Results that were lost because the queue was full
        rangefinder_history_dropped_samples_total 0
        # TYPE rangefinder_history_commit_seconds histogram
        # UNIT rangefinder_history_commit_seconds seconds
        # HELP rangefinder_history_commit_seconds How long commits took
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
        # TYPE rangefinder_history_size_bytes gauge
        # UNIT rangefinder_history_size_bytes bytes
        # HELP rangefinder_history_size_bytes Size of the database
        rangefinder_history_size_bytes 4096
        # TYPE rangefinder_history_wal_bytes gauge
        # UNIT rangefinder_history_wal_bytes bytes
        # HELP rangefinder_history_wal_bytes Size of the database's write-ahead log
        rangefinder_history_wal_bytes 8192
        # TYPE rangefinder_vantage_healthy gauge
        # HELP rangefinder_vantage_healthy Whether the daemon trusts what it sees: 0 when its own place may be what fails
        rangefinder_vantage_healthy 1
        # TYPE rangefinder_alerts_sent counter
        # HELP rangefinder_alerts_sent Alerts and messages that were sent, by what became of them
        rangefinder_alerts_sent_total{result="success"} 7
        rangefinder_alerts_sent_total{result="failure"} 2
        # TYPE rangefinder_alerts_queued gauge
        # HELP rangefinder_alerts_queued Alerts and messages that wait to be taken
        rangefinder_alerts_queued 3
        # TYPE rangefinder_alerts_set_aside counter
        # HELP rangefinder_alerts_set_aside Messages that a channel refused for good and that are kept unsent
        rangefinder_alerts_set_aside_total{channel="webhook 1"} 6
        rangefinder_alerts_set_aside_total{channel="webhook http://hook/"} 0
        # TYPE rangefinder_detection_exceptions counter
        # HELP rangefinder_detection_exceptions How often something kept a target's detection bound from being promised, by reason
        rangefinder_detection_exceptions_total{reason="maintenance"} 4
        rangefinder_detection_exceptions_total{reason="vantage_doubt"} 5
        rangefinder_detection_exceptions_total{reason="recheck_deferred"} 0
        rangefinder_detection_exceptions_total{reason="void"} 0
        # TYPE rangefinder_config_last_reload_successful gauge
        # HELP rangefinder_config_last_reload_successful Whether the last load of the configuration succeeded
        rangefinder_config_last_reload_successful 1
        # TYPE rangefinder_config_last_reload_success_timestamp_seconds gauge
        # UNIT rangefinder_config_last_reload_success_timestamp_seconds seconds
        # HELP rangefinder_config_last_reload_success_timestamp_seconds When the configuration was last loaded successfully,\#
         in unixtime
        rangefinder_config_last_reload_success_timestamp_seconds 1705924800.123
        # TYPE probe_success gauge
        # HELP probe_success Displays whether or not the probe was a success
        probe_success{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 1
        probe_success{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        # TYPE probe_duration_seconds gauge
        # UNIT probe_duration_seconds seconds
        # HELP probe_duration_seconds Returns how long the probe took to complete in seconds
        probe_duration_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 0.02525
        probe_duration_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0.003
        # TYPE probe_timeout_seconds gauge
        # UNIT probe_timeout_seconds seconds
        # HELP probe_timeout_seconds Returns how long the probe timeout is in seconds
        probe_timeout_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 10
        probe_timeout_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 10
        # TYPE probe_dns_lookup_time_seconds gauge
        # UNIT probe_dns_lookup_time_seconds seconds
        # HELP probe_dns_lookup_time_seconds Returns the time taken for probe dns lookup in seconds
        probe_dns_lookup_time_seconds{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"}\#
         0.001
        probe_dns_lookup_time_seconds{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0.001
        # TYPE probe_ip_protocol gauge
        # HELP probe_ip_protocol Specifies whether probe ip protocol is IP4 or IP6
        probe_ip_protocol{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 6
        probe_ip_protocol{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",region="eu"} 4
        # TYPE probe_http_duration_seconds gauge
        # UNIT probe_http_duration_seconds seconds
        # HELP probe_http_duration_seconds Duration of http request by phase, summed over all redirects
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
        # TYPE probe_http_status_code gauge
        # HELP probe_http_status_code Response HTTP status code
        probe_http_status_code{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 200
        probe_http_status_code{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0
        # TYPE probe_http_version gauge
        # HELP probe_http_version Returns the version of HTTP of the probe response
        probe_http_version{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 1.1
        probe_http_version{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        # TYPE probe_http_ssl gauge
        # HELP probe_http_ssl Indicates if SSL was used for the final redirect
        probe_http_ssl{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 1
        probe_http_ssl{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        # TYPE probe_http_redirects gauge
        # HELP probe_http_redirects The number of redirects
        probe_http_redirects{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} 0
        probe_http_redirects{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0
        # TYPE probe_http_content_length gauge
        # HELP probe_http_content_length Length of http content response
        probe_http_content_length{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1"} -1
        probe_http_content_length{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 0
        # TYPE probe_http_uncompressed_body_length gauge
        # HELP probe_http_uncompressed_body_length Length of uncompressed response body
        probe_http_uncompressed_body_length{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 512
        probe_http_uncompressed_body_length{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        # TYPE probe_ssl_earliest_cert_expiry gauge
        # HELP probe_ssl_earliest_cert_expiry Returns last SSL chain expiry in unixtime
        probe_ssl_earliest_cert_expiry{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 1735689600
        # TYPE probe_tls_version_info gauge
        # HELP probe_tls_version_info Returns the TLS version used or NaN when unknown
        probe_tls_version_info{target_id="t1",target="API",instance="https://api.example/health",region="us-east-1",\#
        version="TLS 1.3"} 1
        # TYPE rangefinder_target_status gauge
        # HELP rangefinder_target_status What is believed of the target: exactly one of the four is 1
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
        # TYPE rangefinder_target_status_code gauge
        # HELP rangefinder_target_status_code The target's status: 0 unknown, 1 up, 2 degraded, 3 down
        rangefinder_target_status_code{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 1
        rangefinder_target_status_code{target_id="t2",target="Café \"two\"",instance="https://two.example/v1?token=…&b=…",\#
        region="eu"} 3
        rangefinder_target_status_code{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1"} 0
        # TYPE rangefinder_target_consecutive_failures gauge
        # HELP rangefinder_target_consecutive_failures Bad results in a row up to now
        rangefinder_target_consecutive_failures{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 0
        rangefinder_target_consecutive_failures{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 3
        rangefinder_target_consecutive_failures{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1"} 0
        # TYPE rangefinder_target_last_probe_timestamp_seconds gauge
        # UNIT rangefinder_target_last_probe_timestamp_seconds seconds
        # HELP rangefinder_target_last_probe_timestamp_seconds When the last probe that counted started, in unixtime
        rangefinder_target_last_probe_timestamp_seconds{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 1705924800.123
        rangefinder_target_last_probe_timestamp_seconds{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 1705924800.123
        # TYPE rangefinder_target_probes counter
        # HELP rangefinder_target_probes Probes of the target by what they ended in
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
        # TYPE rangefinder_target_failure_reason gauge
        # HELP rangefinder_target_failure_reason Why the last probe was bad; absent when it was not
        rangefinder_target_failure_reason{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu",reason="connect_refused"} 1
        # TYPE rangefinder_target_detection_bound_seconds gauge
        # UNIT rangefinder_target_detection_bound_seconds seconds
        # HELP rangefinder_target_detection_bound_seconds The longest time from when every probe that starts fails to the\#
         first byte of the alert
        rangefinder_target_detection_bound_seconds{target_id="t1",target="API",instance="https://api.example/health",\#
        region="us-east-1"} 63.5
        rangefinder_target_detection_bound_seconds{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 63.5
        rangefinder_target_detection_bound_seconds{target_id="t3",target="New",instance="https://api.example/health",\#
        region="us-east-1"} 63.5
        # TYPE rangefinder_target_held gauge
        # HELP rangefinder_target_held Whether the target's alert waits because the vantage is in doubt
        rangefinder_target_held{target_id="t1",target="API",\#
        instance="https://api.example/health",region="us-east-1"} 0
        rangefinder_target_held{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 1
        rangefinder_target_held{target_id="t3",target="New",\#
        instance="https://api.example/health",region="us-east-1"} 0
        # TYPE rangefinder_target_in_maintenance gauge
        # HELP rangefinder_target_in_maintenance Whether the target is in a maintenance window
        rangefinder_target_in_maintenance{target_id="t1",target="API",\#
        instance="https://api.example/health",region="us-east-1"} 1
        rangefinder_target_in_maintenance{target_id="t2",target="Café \"two\"",\#
        instance="https://two.example/v1?token=…&b=…",region="eu"} 0
        rangefinder_target_in_maintenance{target_id="t3",target="New",\#
        instance="https://api.example/health",region="us-east-1"} 0
        # EOF

        """#
}
