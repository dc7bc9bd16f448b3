package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var traefikCertificatesKept = Rule{
	ID: "traefik-certificates-kept", Severity: finding.Error,
	Summary:     "a certificate resolver of Traefik is told how to prove a host, and keeps its certificates where they stay",
	Why:         "Browsers and other servers are shown Traefik's own certificate, which nobody trusts: \"ACME challenge not specified\". Or each new container asks for all certificates again, until Let's Encrypt gives out none for a week.",
	Fix:         "Write tlsChallenge: {}, or httpChallenge with the entrypoint at port 80, or dnsChallenge; and a storage below a directory that is mounted.",
	Source:      "Traefik v3.7.13 pkg/provider/acme/provider.go (getClient, Init), cmd/traefik/traefik.go; Let's Encrypt, rate limits",
	ComposeOnly: "certificates of a cluster are kept in Secrets, by whoever makes them",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Running(component.Traefik) {
			if st := d.Static(s); st.Hidden == "" {
				for _, name := range resolversOf(st) {
					checkResolver(r, d, s, st, name)
				}
			}
		}
	},
}

const resolverKey = "certificatesresolvers."

// resolversOf are the names of the resolvers that ask for certificates, in order.
func resolversOf(st deployment.Static) (names []string) {
	for _, set := range st.Settings {
		rest, ok := strings.CutPrefix(strings.ToLower(set.Key), resolverKey)
		name, of, _ := strings.Cut(rest, ".")
		if ok && strings.HasPrefix(of, "acme.") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func checkResolver(r *Reporter, d *deployment.Deployment, s *deployment.Service, st deployment.Static, name string) {
	of := resolverKey + name + ".acme."
	challenged, storage, first := false, deployment.Word{Text: "acme.json"}, source.Site{}
	for _, set := range st.Settings {
		rest, ok := strings.CutPrefix(strings.ToLower(set.Key), of)
		if !ok {
			continue
		}
		if first.File == "" {
			first = set.Site
		}
		part, _, _ := strings.Cut(rest, ".")
		switch part {
		case "tlschallenge", "httpchallenge", "dnschallenge":
			challenged = challenged || set.Value != "false"
		case "storage":
			storage = deployment.Word{Text: set.Value, Site: set.Site}
		}
		if entry := set.Value; rest == "httpchallenge.entrypoint" && d.Proxy().Service == s && d.Proxy().EntryPoints != nil && !d.Proxy().HasEntryPoint(entry) {
			r.Fail(fmt.Sprintf("the resolver %s proves hosts at the entrypoint %s, which there is not; Traefik gets no certificate", name, entry), "entryPoint: the one at port 80", set.Site)
		}
	}
	if !challenged {
		r.Fail(fmt.Sprintf("the resolver %s is not told how to prove a host; Traefik gets no certificate (ACME challenge not specified)", name), "tlsChallenge: {}", first)
	}
	if storage.Site.File == "" {
		storage.Site = first
	}
	at := s.Inside(storage.Text)
	if strings.Contains(storage.Text, "$") || s.Build.Set() {
		return
	}
	if m := s.MountAt(at); m == nil || m.Fleeting {
		effect := "each new container asks for all of them again, until Let's Encrypt gives out none for a week"
		if s.ReadOnly.True() && m == nil {
			effect = "it cannot write there, and has none"
		}
		r.Warn(fmt.Sprintf("the resolver %s keeps its certificates at %s, where nothing is mounted; %s", name, at, effect), d.Lines.Mount("a directory", "there"), append([]source.Site{storage.Site}, s.MountSites(at)...)...)
	}
}
