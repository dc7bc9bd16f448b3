package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var registrationURLReachesBridge = Rule{
	ID: "registration-url-reaches-bridge", Severity: finding.Error,
	Summary: "the url of a registration is the bridge's service and the port that it listens on, not on loopback",
	Why:     "\"Homeserver -> appservice connection is not working, retrying in 5 seconds…\", M_CONNECTION_FAILED or M_URL_NOT_SET; after six attempts the bridge stops.",
	Fix:     "Write url: http://<service>:<port> in both copies of the registration, and hostname: 0.0.0.0 in the bridge's configuration.",
	Source:  "Synapse 1.157.1 rest/client/appservice_ping.py; mautrix-go v0.30.0 bridgev2/bridgeconfig/appservice.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.BridgeRegistrations(func(s *deployment.Synapse, reg *deployment.Registration, b *deployment.Bridge) {
			if b.Config.At("homeserver", "websocket").True() {
				return // Synapse is not the one to connect
			}
			checkURL(r, d, s, reg, b)
			host := b.Config.At("appservice", "hostname")
			name := host.Str()
			if !host.Set() && !b.Misread() {
				name = b.Keys().Host
			}
			if deployment.Loopback(name) && !b.NetworkMode.Set() && !b.FromEnv("appservice.hostname") {
				r.FailMend(fmt.Sprintf("%s listens on %s only; Synapse cannot reach it from its own container", b.Name, name), set(host, "0.0.0.0"), host.Site(""))
			}
			if b.Lacks(name) && !b.FromEnv("appservice.hostname") {
				r.WarnMend(fmt.Sprintf("%s listens on %s, which %s does not give its container; Synapse cannot reach it unless %s happens to", b.Name, name, d.Lines.File, d.Lines.Engine), set(host, "0.0.0.0"), host.Site(""))
			}
		})
	},
}

func checkURL(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, reg *deployment.Registration, b *deployment.Bridge) {
	v := reg.At("url")
	u, port, ok := d.Endpoint(v.Str())
	fix := both(d, reg, v, "url: "+b.Address(), func(v source.Value) []source.Edit { return v.BecomeText(b.Address()) })
	listens, at := b.Port()
	switch {
	case v.Kind() != source.Null && !pythonString(v), strings.HasPrefix(v.Str(), "unix:"): // registration-shape says so
	case v.Str() == "":
		r.FailMend(fmt.Sprintf("Synapse has no url for %s and sends it nothing; the bridge does not start (M_URL_NOT_SET)", b.Name), fix, v.Site(""), b.Site("the bridge"))
	case !ok:
		r.FailMend("url of the registration is no URL; Synapse sends the bridge nothing", fix, v.Site(""))
	case s.NetworkMode.Set() || b.NetworkMode.Set():
	case !slices.Contains(b.Names(), u.Hostname()):
		if d.ServiceAt(u.Hostname()) == nil && strings.Contains(u.Hostname(), ".") && !deployment.Loopback(u.Hostname()) {
			r.NotChecked("the url "+u.Redacted()+" of "+b.Name+" is outside of the stack", v.Site(""))
			return
		}
		r.lostHost(d, u.Hostname(), fmt.Sprintf("Synapse looks for the bridge at %q, but the service is called %q; the bridge does not start (M_CONNECTION_FAILED)", u.Hostname(), calls(b.Service)), fix, append([]source.Site{v.Site(""), b.Site("the bridge")}, deployment.NameSites(b.Service)...)...)
	case port != listens && !b.Silent(at) && !b.FromEnv("appservice.port"):
		// Which of the two ports is meant is not certain.
		r.Fail(fmt.Sprintf("Synapse looks for %s on port %s, but it listens on %s; the bridge does not start (M_CONNECTION_FAILED)", b.Name, port, listens), fix.text, v.Site(""), at.Site("the bridge's port"))
	case u.Scheme == "https" && !b.Config.At("appservice", "tls_cert").Set():
		r.FailMend(fmt.Sprintf("Synapse asks %s for https, which it does not speak; the bridge does not start (M_CONNECTION_FAILED)", b.Name), fix, v.Site(""))
	default:
		own := b.Config.At("appservice", "address")
		if own.Set() && strings.TrimRight(own.Str(), "/") != strings.TrimRight(v.Str(), "/") {
			r.WarnMend(fmt.Sprintf("%s takes itself to be at another address than its registration says; the next registration that it writes leads nowhere", b.Name), say(own, v.Str()), own.Site(""), v.Site("Synapse's"))
		}
	}
}
