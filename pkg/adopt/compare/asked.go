package compare

import (
	"net/url"
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// asked judges a request by what the homeserver itself has of it, and by where ours leads to.
func (c *comparison) asked(key string, old, now fact) (verdict, bool) {
	method, target, _ := strings.Cut(key, " ")
	host, _, _ := strings.Cut(target, "/")
	if to, on := strings.CutPrefix(now.shown, sentOn); on && method == "GET" {
		if u, err := url.Parse(to); err == nil && c.ours.answerAt(u) == old.text {
			return verdict{kind: Same, why: "whoever asks is sent on to where the same answers"}, true
		}
	}
	if name, port, called := strings.Cut(now.shown, ":"); called && port != "" && c.old.Service(name) != nil && c.ours.Service(name) == nil {
		return verdict{kind: Decision, why: "the proxy sends it to " + name + ", which is there no more: it answers 502", keep: "the file of the proxy, with the service that takes its place"}, true
	}
	was, before, _ := strings.Cut(old.shown, through)
	is, after, _ := strings.Cut(now.shown, through)
	switch {
	case (was == is || strings.HasPrefix(was, untold)) && before != "" && after == "" && now.shown != nobody:
		return verdict{kind: Decision, why: "the proxy puts it through " + before + " no more", keep: "ingress: {traefik: {middlewares: […]}} with it"}, true
	case was == is && before == "" && after != "headers":
		return verdict{kind: Decision, why: "the proxy puts it through " + after + ", which it did not"}, true
	}
	if now.shown != nobody || first(was) != "synapse" {
		return verdict{}, false
	}
	switch {
	case c.synapseHasNot(target):
		return verdict{kind: Same, why: "Synapse answers 404 there, too, or with the page that says that it runs"}, true
	case strings.Contains(target, "/_synapse/client/") && c.leadsElsewhere(host):
		return verdict{kind: Same, why: "Synapse leads nobody to this host: its links and callbacks begin with public_baseurl"}, true
	}
	return verdict{}, false
}

// through comes before the middlewares of an answer.
const through = ", through "

// sentOn begins the answer that leads to another address.
const sentOn = "sent on to "

// answerAt is what becomes of a request to an address.
func (s *side) answerAt(u *url.URL) string {
	f, _ := s.answer(request{"GET", u.Path}, u.Host)
	return f.text
}

// leadsElsewhere reports whether Synapse has its own pages at another host (synapse/rest/client/login.py sends whoever logs in
// by single sign-on to public_baseurl first).
func (c *comparison) leadsElsewhere(host string) bool {
	for _, syn := range c.old.Synapses {
		u, err := url.Parse(syn.Config.At("public_baseurl").Str())
		if err != nil || u.Host == "" || strings.EqualFold(u.Hostname(), host) {
			return false
		}
	}
	return len(c.old.Synapses) > 0
}

// synapseHasNot reports whether a path is none of Synapse (synapse/app/homeserver.py of 1.163: all it has is below these, and
// the root leads to its own page unless web_client_location is written).
func (c *comparison) synapseHasNot(target string) bool {
	_, name, _ := strings.Cut(target, "/")
	for _, syn := range c.old.Synapses {
		if syn.Config.At("web_client_location").Set() && name == "" || len(syn.Config.At("modules").Items()) > 0 {
			return false
		}
		for _, l := range syn.Config.At("listeners").Items() {
			if l.At("additional_resources").Set() {
				return false
			}
		}
	}
	name = strings.TrimSuffix(name, "/")
	return !synapseHas().MatchString(name)
}

// synapseHas is all that it has, apart from what is only the beginning of others.
var synapseHas = regex.Of(`^(_matrix/(client|federation|key|media|static)/.+|_matrix/static|_synapse/.+/.+|_synapse/metrics|\.well-known/matrix/(client|server)|health|metrics)$`)
