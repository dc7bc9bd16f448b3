package spec

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// ESS reports whether the Helm chart of Element Server Suite runs Synapse and MAS.
func (s *Spec) ESS() bool { return s.OnKubernetes() && s.Kubernetes.ESS }

// inValues is what to write instead of what the chart has a word of its own for.
func inValues(words string) string {
	return "remove the line; " + words + " in a values file of your own, which helm reads after ess.yaml"
}

// notWithESS are the fields that say something of how Synapse or MAS is run, which the chart settles.
var notWithESS = []struct{ field, why, fix string }{
	{"synapse.workers", "are processes of the Synapse that the chart runs", inValues("synapse: {workers: {synchrotron: {enabled: true}}}")},
	{"synapse.data", "is a volume of the Synapse that the chart runs", inValues("synapse: {media: {storage: {existingClaim: NAME}}}")},
	{"synapse.well_known_extra", "is for the discovery file, which the chart answers with itself", inValues("wellKnownDelegation: {additional: {client: '{…}'}}")},
	{"auth.migration", "has syn2mas run, which the chart has a hook for", inValues("matrixAuthenticationService: {syn2mas: {enabled: true}}")},
	{"haproxy", "stands before the Synapse that the chart runs", inValues("haproxy: {…}")},
	{"metrics", "are told by the Synapse and the MAS that the chart runs, which has ServiceMonitors for them", "remove the line"},
	{"kubernetes.gateway", "is a way in by HTTPRoutes, and the chart only writes Ingresses", "kubernetes: {ingress: {class: traefik}}"},
	{"ingress.apex.matrix", "sends requests for the server name's own host to Synapse, and the chart answers there itself", "remove the line"},
}

// checkESS refuses what says something of a program that the chart runs: it would be used for nothing.
func (s *Spec) checkESS(d *decoder) {
	chart := s.At("kubernetes", "ess").Site("the chart runs it")
	for _, n := range notWithESS {
		if v := s.At(strings.Split(n.field, ".")...); v.Exists() {
			d.fail(v, v.Path()+" "+n.why+"; it would be used for nothing", n.fix, chart)
		}
	}
	if !s.MAS() {
		v := s.At("auth", "kind")
		if !v.Exists() {
			v = s.At("auth")
		}
		d.fail(v, "auth.kind is synapse, and what the chart is told here has users log in at MAS", "auth: {passwords: true, public_url: https://account."+s.ServerName+"/}", chart)
	}
	for _, k := range component.ESS {
		at, title := s.At(Section(k.Program)...), component.Of(k.Program).Title
		for _, key := range []string{"image", "version", "service", "user", "limits"} {
			if v := at.At(key); v.Exists() {
				d.fail(v, v.Path()+" is about the container of "+title+", which is the chart's; it would be used for nothing", inValues(k.Values+": {…}"), chart)
			}
		}
		if extra := at.At("extra"); k.Settles == nil && extra.Exists() {
			d.fail(extra, extra.Path()+" is laid onto what is rendered for "+title+", and nothing is; it would be used for nothing", inValues(k.Values+": {…}"), chart)
		}
		for key, v := range at.At("extra").Entries() {
			if _, name := source.Operator(key.Str()); slices.Contains(k.Settles, name) {
				d.fail(v, v.Path()+" is what the chart settles, by itself or by values of its own; it would be used for nothing", inValues(k.Values+": {…}"), chart)
			}
		}
	}
	for _, key := range []string{"node_ip", "tcp_port", "udp_port"} {
		if v := s.At("calls", key); v.Exists() {
			d.fail(v, v.Path()+" is about the LiveKit that the chart runs; it would be used for nothing", inValues("matrixRTC: {sfu: {…}}"), chart)
		}
	}
}
