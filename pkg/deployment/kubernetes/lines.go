package kubernetes

import (
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/shell"
)

// lines are those of manifests.
var lines = deployment.Lines{
	Image:    func(ref string) string { return "image: " + ref },
	Command:  func(words ...string) string { return "command: " + deployment.Quoted(words) },
	Variable: func(name, value string) string { return "{name: " + name + ", value: " + value + "}" },
	Probe: func(words ...string) string {
		return "readinessProbe: {exec: {command: " + deployment.Quoted(words) + "}}"
	},
	Probed:    func(last string) string { return "readinessProbe with " + last },
	NoProbe:   "no probe",
	ProbeForm: "exec, httpGet or tcpSocket",
	Started:   "no init container that waits for it",
	Once:      "restartPolicy: OnFailure",

	Networks:       func(...string) string { return "a NetworkPolicy that lets the one to the other" },
	Outside:        "a namespace that others made",
	WayOut:         "a NetworkPolicy with egress to the internet",
	OtherName:      "a selector that means one workload alone",
	OtherContainer: "another name",
	ContainerName:  "the name of the database's pod",
	Port: func(host, container, protocol string) string {
		if strings.Contains(host, "-") { // a Service has no span of ports
			return "hostNetwork: true"
		}
		return "{port: " + host + ", targetPort: " + container + ", protocol: " + strings.ToUpper(protocol) + "} in a Service"
	},

	Mount:   func(what, where string) string { return strings.TrimSpace("mount " + what + " " + where) },
	Label:   "the rule",
	Scratch: func(dir string) string { return "an emptyDir at " + dir },
	AsUser: func(caps ...string) string {
		return "runAsUser: the uid that it runs as, or capabilities: {add: [" + strings.Join(caps, ", ") + "]}"
	},
	Capability: func(name string) string { return "capabilities: {add: [" + name + "]}" },
	Run: func(pod, program string) string {
		if pod == "" {
			return "kubectl exec … -- " + program
		}
		return "kubectl exec " + shell.Word(pod) + " -- " + program
	},
	File: "the manifest", Engine: "the cluster", Gone: "with its pod",
	Stranger: "a Service of the cluster",
	Unwell:   "the pod is never ready, and no Service leads to it",
	SwitchOn: func(string) string { return "replicas: 1" },
}
