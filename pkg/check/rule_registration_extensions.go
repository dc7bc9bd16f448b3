package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// The keys of a registration for services that answer a part of the client API in Synapse's place, and the minor release
// since which Synapse reads them.
const (
	proxyPrefixKey = "io.element.msc4512.proxy_prefix"
	proxyURLKey    = "io.element.msc4512.proxy_url"
	scopesKey      = "io.element.msc4502.scopes"
	sinceScopes    = 160
	sinceProxy     = 161
)

// scopes are those that Synapse can give.
var scopes = []string{"urn:matrix:client:io.element.msc4502:rooms:is_joined"}

// proxyPrefixes are the parts of the API that Synapse gives away.
var proxyPrefixes = []string{"rtc/livekit"}

// unprefixed are names under which these keys are written, and Synapse does not read them.
var unprefixed = map[string]string{"proxy_prefix": proxyPrefixKey, "proxy_url": proxyURLKey, "io.element.msc4502.scope": scopesKey, "scopes": scopesKey}

func checkExtensions(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, reg *deployment.Registration) {
	stops := func(fact, fix string, at ...source.Value) {
		var sites []source.Site
		for _, v := range at {
			sites = append(sites, v.Site(""))
		}
		r.Fail(fact+"; Synapse does not start", fix, sites...)
	}
	if olderThan(s, sinceScopes) {
		return
	}
	list := reg.At(scopesKey)
	if list.Exists() && list.Kind() != source.Sequence {
		stops(scopesKey+" of the registration is no list", scopesKey+": ["+scopes[0]+"]", list)
	}
	for _, v := range list.Items() {
		if !slices.Contains(scopes, v.Str()) {
			stops(fmt.Sprintf("Synapse knows no scope %q for a registration", v.Str()), "- "+scopes[0], v)
		}
	}
	for key, v := range reg.Root().Entries() {
		if known := unprefixed[key.Str()]; known != "" && !reg.At(known).Exists() {
			r.WarnMend(fmt.Sprintf("Synapse reads %s, and passes over %s; it has no effect", known, key.Str()),
				both(d, reg, v, "rename it to "+known, func(v source.Value) []source.Edit { return v.Renamed(known) }), key.Site(""))
		}
	}
	prefix, url := reg.At(proxyPrefixKey), reg.At(proxyURLKey)
	if olderThan(s, sinceProxy) || !prefix.Set() && !url.Set() {
		return
	}
	for _, v := range []source.Value{prefix, url} {
		if v.Set() && (!pythonString(v) || v.Str() == "") {
			stops(v.Name()+" of the registration is no text", v.Name()+`: "…"`, v)
		}
	}
	if !url.Set() {
		stops("the registration has "+proxyPrefixKey+" and no "+proxyURLKey, proxyURLKey+": where the service is asked", prefix)
	}
	if !prefix.Set() {
		stops("the registration has "+proxyURLKey+" and no "+proxyPrefixKey, proxyPrefixKey+": "+proxyPrefixes[0], url)
	}
	if p := strings.TrimRight(prefix.Str(), "/"); p != "" && !givenAway(p) {
		stops(fmt.Sprintf("Synapse gives %q to no registration, only %s", prefix.Str(), strings.Join(proxyPrefixes, ", ")), proxyPrefixKey+": "+proxyPrefixes[0], prefix)
	}
}

func givenAway(prefix string) bool {
	return slices.ContainsFunc(proxyPrefixes, func(p string) bool { return prefix == p || strings.HasPrefix(prefix, p+"/") })
}

// checkProxyPrefixes has two registrations that want the same part of the API.
func checkProxyPrefixes(r *Reporter, s *deployment.Synapse) {
	if olderThan(s, sinceProxy) {
		return
	}
	for i, a := range s.Registrations {
		for _, b := range s.Registrations[:i] {
			p, q := strings.TrimRight(a.At(proxyPrefixKey).Str(), "/"), strings.TrimRight(b.At(proxyPrefixKey).Str(), "/")
			if a.File != b.File && p != "" && q != "" && (p == q || strings.HasPrefix(p, q+"/") || strings.HasPrefix(q, p+"/")) {
				r.Fail(fmt.Sprintf("two registrations take the requests below %s; Synapse does not start", q), "remove it from one of the two", a.At(proxyPrefixKey).Site(""), b.At(proxyPrefixKey).Site("the other"))
			}
		}
	}
}
