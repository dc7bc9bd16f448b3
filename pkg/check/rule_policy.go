package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var kubernetesPolicyAllows = Rule{
	ID: "kubernetes-policy-allows", Severity: finding.Error,
	Summary:        "NetworkPolicies let through who talks to whom: programs of the stack, the proxy, and the question for a name",
	Why:            "A time-out and never a refusal: Synapse hears nothing of MAS and nobody can log in, a bridge is never asked, the proxy answers 504, \"Temporary failure in name resolution\".",
	Fix:            "Add a rule to the policy that selects the pod: the labels of who asks into from, the port of the container, not that of its Service, into ports.",
	Source:         "Kubernetes 1.36 staging/src/k8s.io/api/networking/v1/types.go NetworkPolicySpec; a policy counts where the plugin of the network enforces it",
	KubernetesOnly: "who shares a network of Docker reaches the other, which compose-network-shared looks at",
	Check: func(d *deployment.Deployment, r *Reporter) {
		type pair struct {
			from, to *deployment.Service
			port     string
		}
		told := make(map[pair]bool)
		for _, t := range d.Hops() {
			port := d.Inner(t.Host, t.Port)
			if told[pair{t.From, t.To, port}] || t.From.Absent.Why != "" || t.To.Absent.Why != "" {
				continue
			}
			if door := d.Door(t.Host); door != nil && !strings.Contains(t.Host, ".") && !d.SameSpace(door, t.From) {
				continue // it is not found at all, as kubernetes-service-leads says
			}
			told[pair{t.From, t.To, port}] = true
			limits := d.Barred(t.From, t.To, port)
			if len(limits) == 0 {
				continue
			}
			what := fmt.Sprintf("%s between %s and port %s of %s; it asks and never gets an answer", policyNames(limits, "stands", "stand"), t.From.Name, port, t.To.Name)
			fix := fmt.Sprintf("ingress: a rule from the pods of %s with port %s", t.From.Name, port)
			if slices.Contains(d.Limits(t.From, true), limits[0]) && !slices.Contains(d.Limits(t.To, false), limits[0]) {
				fix = fmt.Sprintf("egress: a rule to the pods of %s with port %s", t.To.Name, port)
			}
			r.Fail(what, fix, append(policySites(limits), t.At("asks"))...)
		}
		fromOutside(r, d)
		fromOperator(r, d)
		for _, s := range d.Services {
			asks := slices.ContainsFunc(d.Hops(), func(t deployment.Talk) bool { return t.From == s })
			if limits := d.Nameless(s); len(limits) > 0 && asks && s.Absent.Why == "" {
				r.Fail(fmt.Sprintf("%s %s ask for no name; it finds nobody whom it talks to", policyNames(limits, "lets", "let"), s.Name), "egress: a rule without to, with port 53 of UDP and TCP", policySites(limits)...)
			}
		}
	},
}

// fromOutside looks whether the proxy of the cluster, which is none of the pods here, gets through to what it leads to.
func fromOutside(r *Reporter, d *deployment.Deployment) {
	if d.Routed == nil || d.Front().Service != nil {
		return
	}
	for _, s := range d.Services {
		for _, p := range s.Ports {
			port := strconv.Itoa(p.Inner)
			if limits := d.UnansweredBy(s, strings.ToUpper(p.Protocol), port); len(limits) > 0 && s.Absent.Why == "" {
				// A warning: what comes by the pod's own node, some networks let through.
				r.Warn(fmt.Sprintf("%s nobody from outside of the stack to port %s/%s of %s, which is published; other machines get no answer there", policyNames(limits, "lets", "let"), port, p.Protocol, s.Name),
					fmt.Sprintf("ingress: a rule without from, with port %s of %s", port, strings.ToUpper(p.Protocol)), append(policySites(limits), p.At.Site("published"))...)
			}
		}
	}
	told := make(map[string]bool)
	for _, svc := range d.Routes().Services {
		for _, b := range svc.Backends {
			s := d.Service(b.Container)
			if s == nil || s.Absent.Why != "" || told[s.Name+b.Port] {
				continue
			}
			told[s.Name+b.Port] = true
			if limits := d.Unanswered(s, b.Port); len(limits) > 0 {
				b.Site.Note = "leads there"
				r.Fail(fmt.Sprintf("%s nobody from outside of the stack to port %s of %s, to which %s leads; every request is a 504", policyNames(limits, "lets", "let"), b.Port, s.Name, d.Front().Name),
					fmt.Sprintf("ingress: a rule from the namespace of the controller, with port %s", b.Port), append(policySites(limits), b.Site)...)
			}
		}
	}
}

// fromOperator looks whether CloudNativePG, which runs in a namespace of its own, gets through to the instances that it asks for their state.
func fromOperator(r *Reporter, d *deployment.Deployment) {
	for _, s := range d.Operated() {
		if limits := d.Unanswered(s, "8000"); len(limits) > 0 {
			r.Fail(fmt.Sprintf("%s nobody from outside of the stack to port 8000 of the Cluster %s, where CloudNativePG asks for its state; no instance becomes ready", policyNames(limits, "lets", "let"), s.Name),
				"ingress: a rule from the pods of cloudnative-pg in any namespace, with ports 8000 and 5432", append(policySites(limits), s.Self.Site("the Cluster"))...)
		}
		if limits := d.Barred(s, s, "5432"); s.Copies > 1 && len(limits) > 0 {
			r.Fail(fmt.Sprintf("%s between the instances of the Cluster %s, which copy from each other at port 5432; only one becomes ready", policyNames(limits, "stands", "stand"), s.Name),
				"ingress: a rule from the pods of the Cluster, with port 5432", append(policySites(limits), s.Self.Site("the Cluster"))...)
		}
	}
}

// policyNames is who limits, as the beginning of a sentence; one and several are its verb.
func policyNames(limits []*deployment.Policy, one, several string) string {
	var names []string
	for _, p := range limits {
		names = append(names, p.Name)
	}
	who, verb := "the NetworkPolicy "+names[0], one
	if len(names) > 1 {
		who, verb = "the NetworkPolicies "+finding.Sentence(deployment.AtMost(names, 3), "and"), several
	}
	return who + " " + verb
}

func policySites(limits []*deployment.Policy) (sites []source.Site) {
	for i, p := range limits {
		note := "as this one"
		if i == 0 {
			note = ""
		}
		sites = append(sites, p.At.Site(note))
	}
	return sites
}
