package component

// Kept is a program that a chart runs: what its values call it, its workload, the Service by which others ask it, and the label by which a NetworkPolicy means all
// of its pods.
type Kept struct {
	Program                   Program
	Values, Workload, Service string
	Label                     [2]string
	// Settles are the settings at the top of its configuration that the chart lays over all others, or that are of a container of its own: of
	// a list of both, each has its items.
	Settles []string
}

// ESSChart is the Helm chart of Element Server Suite Community, and ESSVersion the release of it that is known here.
const (
	ESSChart   = "oci://ghcr.io/element-hq/ess-helm/matrix-stack"
	ESSVersion = "26.8.1"
)

// ESS is what that chart runs, where its release is called ess.
var ESS = []Kept{
	{
		Program: Synapse, Values: "synapse", Workload: "ess-synapse-main", Service: "ess-synapse", Label: [2]string{"k8s.element.io/synapse-instance", "ess-synapse"},
		Settles: []string{
			"server_name", "public_baseurl", "serve_server_wellknown", "extra_well_known_client_content", "listeners", "database", "log_config", "signing_key_path", "signing_key",
			"media_store_path", "max_upload_size", "ip_range_blacklist", "url_preview_ip_range_blacklist", "matrix_authentication_service", "macaroon_secret_key", "macaroon_secret_key_path",
			"form_secret", "form_secret_path", "registration_shared_secret", "registration_shared_secret_path", "app_service_config_files", "enable_metrics", "redis", "instance_map",
			"stream_writers", "worker_log_config", "worker_replication_secret_path", "send_federation", "federation_sender_instances", "start_pushers", "pusher_instances",
			"run_background_tasks_on", "notify_appservices_from_worker", "update_user_directory_from_worker", "media_instance_running_background_jobs", "enable_media_repo",
			"password_config", "matrix_rtc", "max_event_delay_duration", "rc_message", "rc_delayed_event_mgmt",
		},
	},
	{
		Program: MAS, Values: "matrixAuthenticationService", Workload: "ess-matrix-authentication-service", Service: "ess-matrix-authentication-service",
		Label:   [2]string{"app.kubernetes.io/instance", "ess-matrix-authentication-service"},
		Settles: []string{"http", "database", "matrix", "secrets", "telemetry"},
	},
	{Program: Element, Values: "elementWeb"},
	{Program: LiveKit, Values: "matrixRTC"},
	{Program: LkJwt, Values: "matrixRTC"},
}

// OfESS is what the chart has of a program; ok is false where it does not run it.
func OfESS(p Program) (k Kept, ok bool) {
	for _, k := range ESS {
		if k.Program == p {
			return k, true
		}
	}
	return k, false
}
