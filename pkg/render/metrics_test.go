package render_test

import (
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// What tells Prometheus how a stack fares is for Prometheus alone.
func TestMetricsFaults(t *testing.T) {
	const homeserver, mas = "config/matrix/homeserver.yaml", "config/mas/config.yaml"
	findsEach(t, fixture.Ingress("{kind: traefik}")+"metrics: true\n", []fault{
		{labels, "    networks:\n      stack: {aliases: [\"matrix-stack-synapse\"]}", "    ports: [\"9000:9000\"]\n    networks:\n      stack: {aliases: [\"matrix-stack-synapse\"]}", "metrics-private"},
		{labels, "    networks:\n      stack: {aliases: [\"matrix-stack-synapse\"]}", "    ports: [\"9001-9003:8999-9001\"]\n    networks:\n      stack: {aliases: [\"matrix-stack-synapse\"]}", "metrics-private"},
		{labels, "    networks:\n      stack: {aliases: [\"matrix-stack-mas\"]}", "    ports: [\"0.0.0.0:8081:8081\"]\n    networks:\n      stack: {aliases: [\"matrix-stack-mas\"]}", "metrics-private"},
		{labels, "matrix-synapse.loadbalancer.server.port: \"8008\"", "matrix-synapse.loadbalancer.server.port: \"9000\"", "metrics-private"},
		{labels, "matrix-mas.loadbalancer.server.port: \"8080\"", "matrix-mas.loadbalancer.server.port: \"8081\"", "metrics-private"},
		{homeserver, "type: metrics", "type: metric", "synapse-required-keys"},
		{homeserver, "  - port: 9000", "  - port: \"x9000\"", "synapse-required-keys"},
		{homeserver, "enable_metrics: true", "enable_metric: true", "synapse-known-keys"},
		{mas, "name: prometheus", "name: prometeus", "mas-known-keys"},
		{labels, "  metrics: {internal: true}\n", "", "compose-valid"},
	})
}
