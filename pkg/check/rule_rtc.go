package check

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var rtcTransportAnnounced = Rule{
	ID: "rtc-transport-announced", Severity: finding.Error,
	Summary: "where Synapse says which server carries calls, clients find it: the switch and the list stand together, each address has a host, and a router leads to the service that hands out tokens",
	Why:     "The call button of Element does nothing: MISSING_MATRIX_RTC_TRANSPORT. Clients ask Synapse for its transports (404 without msc4143_enabled) and read org.matrix.msc4143.rtc_foci in /.well-known/matrix/client.",
	Fix:     "Write experimental_features.msc4143_enabled: true, matrix_rtc.transports and, where Synapse serves /.well-known, the same server below org.matrix.msc4143.rtc_foci.",
	Source:  "Synapse 1.163.2 rest/client/matrixrtc.py, config/matrixrtc.py; lk-jwt-service 0.8.0; element-call docs/self_hosting.md, issue 3933; matrix-org/matrix-rust-sdk#6676",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			if !olderThan(s, 140) && !s.Partial() {
				checkTransportsOf(r, d, s)
			}
		}
	},
}

const rtcFoci = "org.matrix.msc4143.rtc_foci"

func checkTransportsOf(r *Reporter, d *deployment.Deployment, s *deployment.Synapse) {
	list, on := s.Config.At("matrix_rtc", "transports"), s.Config.At("experimental_features", "msc4143_enabled")
	foci := s.Config.At("extra_well_known_client_content", rtcFoci)
	var asked []source.Value
	for _, item := range slices.Concat(list.Items(), foci.Items()) {
		if v := item.At("livekit_service_url"); v.Set() && hasHost(v.Str()) {
			asked = append(asked, v)
		}
		if kind := item.At("type"); finding.Nearest(kind.Str(), []string{"livekit"}) != "" {
			r.Warn(fmt.Sprintf("clients know no transport %q, and pass over this one", kind.Str()), "type: livekit", kind.Site(""))
		}
		for _, key := range []string{"url", "livekit_service_url"} {
			v := item.At(key)
			if v.Set() && !hasHost(v.Str()) {
				r.Fail(fmt.Sprintf("%q is no address that clients can ask; no call comes about", v.Str()), v.Name()+": https://…", v.Site(""))
			} else if key == "livekit_service_url" {
				checkCallRoute(r, d, v)
			} else if u, err := url.Parse(v.Str()); err == nil && v.Set() && len(d.LiveKits) == 1 && !deferred(v.Str()) &&
				!slices.ContainsFunc(d.Tokens, func(t *deployment.TokenService) bool { return t.URL().Text == v.Str() }) { // of which rtc-sfu-routed speaks
				checkSFURoute(r, d, d.LiveKits[0], u, v.Site(""))
			}
		}
	}
	if len(d.Synapses) == 1 {
		checkUnentered(r, d, asked)
	}
	res := d.Routes().Match("GET", s.Server.Str(), "/.well-known/matrix/client")
	own := res.Backend != nil && res.Backend.Container == s.Name
	// What is no transport, synapse-version-supports speaks of.
	said := slices.ContainsFunc(list.Items(), func(v source.Value) bool {
		return v.At("type").Str() == "livekit" && (v.At("url").Set() || v.At("livekit_service_url").Set())
	})
	tells, told := focusTold(res)
	if jwt := callService(d); jwt != nil && !tells && told {
		r.Warn(fmt.Sprintf("%s/.well-known/matrix/client, which %s answers itself, names no server for calls; apps from before August 2026 and Element Web up to 1.12.26 look nowhere else and have no calls", s.Server.Str(), d.Front().Name),
			fociFix(asked), res.Router.Site, jwt.Self.Site("hands out the keys to calls"))
	}
	if said && foci.Len() == 0 && own {
		r.Warn("the file for clients that Synapse serves names no server for calls, as matrix_rtc does; apps from before August 2026 and Element Web up to 1.12.26 look nowhere else and have no calls", fociFix(asked), foci.Site(""), list.Site("named here"))
	}
	announced := mend{"experimental_features: {msc4143_enabled: true}", func() []source.Edit { return on.Become("true") }}
	switch {
	case said && !on.True() && foci.Len() == 0 && own:
		r.FailMend("matrix_rtc names a server for calls, and Synapse tells clients of it only with msc4143_enabled; the call button does nothing", announced, list.Site("named here"), on.Site(""))
	case said && !on.True():
		r.WarnMend("matrix_rtc names a server for calls, and Synapse tells clients of it only with msc4143_enabled; those that do not find it in /.well-known have none", announced, list.Site("named here"), on.Site(""))
	case !said && tells: // found there
	case !said && on.True() && foci.Len() == 0:
		r.Warn("msc4143_enabled is on, and matrix_rtc names no server for calls; the call button does nothing, unless another site serves /.well-known with one", "matrix_rtc: {transports: [{type: livekit, livekit_service_url: https://…}]}", on.Site(""), s.Config.At("matrix_rtc").Site(""))
	case !said && foci.Len() == 0:
		if jwt := callService(d); jwt != nil && len(d.Synapses) == 1 {
			r.Warn(fmt.Sprintf("%s hands out the keys to calls, and Synapse tells nobody of it; the call button does nothing, unless another site serves /.well-known with it", jwt.Name),
				"matrix_rtc: {transports: [{type: livekit, livekit_service_url: https://…}]} and experimental_features: {msc4143_enabled: true}", jwt.Self.Site(""), s.Config.At("matrix_rtc").Site("Synapse says nothing"))
		}
	}
}

// fociFix is what the file for clients has to say: the first of the addresses that others are told.
func fociFix(asked []source.Value) string {
	at := "https://…"
	if len(asked) > 0 {
		at = asked[0].Str()
	}
	return fmt.Sprintf("%s: [{type: livekit, livekit_service_url: %s}]", rtcFoci, at)
}

// focusTold reports whether the proxy's own answer names a server for calls, and whether that can be told.
func focusTold(res route.Result) (tells, known bool) {
	var body map[string]any
	if res.Unknown != "" || res.Router == nil || unfilledIn(res.Answer) || json.Unmarshal([]byte(res.Answer), &body) != nil {
		return false, false
	}
	list, ok := body[rtcFoci].([]any)
	return ok && len(list) > 0, true
}

// checkCallRoute has an address that does not lead to the service which hands out tokens, where that has routers here.
func checkCallRoute(r *Reporter, d *deployment.Deployment, v source.Value) {
	jwt := callService(d)
	u, _, ok := deployment.Endpoint(v.Str())
	if jwt == nil || !ok {
		return
	}
	const asks = "/sfu/get"
	at := strings.TrimSuffix(u.Path, "/") + asks
	res := d.Routes().Match("POST", u.Hostname(), at)
	switch {
	case !entered(d, jwt, u.Hostname()), res.Unknown != "": // checkUnentered speaks of the first
	case res.Tie != nil || res.Redirect != "" || d.Explained(jwt, "POST", u.Hostname(), at):
	case res.Backend == nil:
		r.Fail(fmt.Sprintf("clients ask %s%s for a token, and no router leads there; no call comes about", u.Host, at), "the address under which "+jwt.Name+" is reached", v.Site(""), jwt.Self.Site("the service"))
	case res.Backend.Container != jwt.Name && handsOutTokens(d.Service(res.Backend.Container)): // one of several
	case res.Backend.Container != jwt.Name:
		r.Fail(fmt.Sprintf("clients ask %s%s for a token, which is sent to %s and not to %s; no call comes about", u.Host, at, res.Backend.Container, jwt.Name), "the address under which "+jwt.Name+" is reached", v.Site(""), res.Router.Site)
	case res.Path != asks:
		r.Fail(fmt.Sprintf("clients ask %s%s for a token, which arrives at %s as %s; it knows %s, and no call comes about", u.Host, at, jwt.Name, res.Path, asks), stripFix(d, jwt, strings.TrimSuffix(at, asks)), v.Site(""), res.Router.Site)
	default:
		checkNewerEndpoints(r, d, jwt, u, v)
	}
}

// newerEndpoints are those of lk-jwt-service besides the first one, with the release that has them (src/handler.rs, handler.go).
var newerEndpoints = []string{"/get_token", "/delegate_delayed_leave"}

// checkNewerEndpoints has a proxy that leads to one endpoint alone, as the examples of older releases did.
func checkNewerEndpoints(r *Reporter, d *deployment.Deployment, jwt *deployment.Service, u *url.URL, v source.Value) {
	if !newEnough(jwt, component.Version{0, 5, 0}) {
		return
	}
	for _, asks := range newerEndpoints {
		at := strings.TrimSuffix(u.Path, "/") + asks
		res := d.Routes().Match("POST", u.Hostname(), at)
		if res.Unknown == "" && res.Tie == nil && res.Redirect == "" && (res.Backend == nil || res.Backend.Container != jwt.Name) && !d.Explained(jwt, "POST", u.Hostname(), at) {
			r.Warn(fmt.Sprintf("clients of today ask %s%s, which does not lead to %s; only older ones get into a call", u.Host, at, jwt.Name), "a route to all of "+u.Host+strings.TrimSuffix(u.Path, "/")+"/", v.Site(""), jwt.Self.Site("the service"))
			return
		}
	}
}

// checkUnentered has a service that hands out tokens and that nobody outside reaches: no router leads to it, and it publishes no
// port. asked are the addresses at which clients are told to ask.
func checkUnentered(r *Reporter, d *deployment.Deployment, asked []source.Value) {
	jwt, front := callService(d), d.Front()
	leads := func(svc *route.Service) bool {
		return slices.ContainsFunc(svc.Backends, func(b route.Backend) bool { return b.Container == jwt.Name || d.ServiceAt(b.Container) == jwt })
	}
	if jwt == nil || len(d.Tokens) != 1 || d.Target != deployment.Compose || !d.HasRouters() || front.Unseen != "" || len(jwt.Spans) > 0 || !jwt.SpansKnown || jwt.NetworkMode.Set() ||
		jwt.HasLabel("traefik.http.routers") || slices.ContainsFunc(d.Routes().Services, leads) {
		return
	}
	message := fmt.Sprintf("no router leads to %s, which publishes no port either", jwt.Name)
	fix, sites := "a router to port 8080 of "+jwt.Name, []source.Site{jwt.Self.Site("")}
	for _, v := range asked {
		u, err := url.Parse(v.Str())
		switch {
		case err != nil || deferred(v.Str()):
			return
		case entered(d, jwt, u.Hostname()):
			return // checkCallRoute says where they end
		}
		sites = append(sites, v.Site("where clients ask"))
	}
	if len(asked) > 0 {
		fix += " for " + asked[0].Str()
	}
	stranger := func(s *deployment.Service) bool {
		return s != jwt && s != front.Service && s.Program == component.Unknown && s.Shares(jwt)
	}
	switch {
	case d.CallsOf(d.Tokens[0]) != nil:
		r.Warn(message+"; apps that do not ask Synapse for their token get into no call", fix, sites...)
	case front.Service == nil || jwt.Meets() || slices.ContainsFunc(d.Services, stranger):
		r.Warn(message+"; no call comes about, unless a proxy that was not read leads to it", fix, sites...)
	default:
		r.Fail(message+"; no call comes about", fix, sites...)
	}
}

// entered reports whether the proxy of this stack is the one by which people come to the service, or to that host.
func entered(d *deployment.Deployment, s *deployment.Service, host string) bool {
	return s.HasLabel("traefik.http.routers") || slices.ContainsFunc(d.Routes().Routers, func(router *route.Router) bool {
		return router.Container == s.Name || slices.Contains(router.Hosts(), host)
	})
}

// callService is the service that hands out tokens for LiveKit; nil when there is none.
func callService(d *deployment.Deployment) *deployment.Service {
	if i := slices.IndexFunc(d.Services, handsOutTokens); i >= 0 {
		return d.Services[i]
	}
	return nil
}

func handsOutTokens(s *deployment.Service) bool {
	return s != nil && path.Base(s.Image.Repository) == "lk-jwt-service" && s.Absent.Why == ""
}

// hasHost reports whether a text is the address of a server on the internet. What stands behind a variable may be.
func hasHost(text string) bool {
	u, err := url.Parse(text)
	if deferred(text) {
		return true // config-variables says so
	}
	if err != nil {
		return false
	}
	host := u.Hostname()
	return slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) && host != "" && !strings.HasPrefix(host, ".") && !strings.Contains(host, "..")
}

// unawareAdmins are images of admin interfaces that log in with a password at Synapse alone.
var unawareAdmins = []string{"awesometechnologies/synapse-admin"}

// etkeBuild is the number of a build of etke.cc's synapse-admin, before it was called ketesa: from the 20th on it takes an access
// token as well (etkecc/ketesa#58), from the 49th on it logs in at MAS (#902).
var etkeBuild = regex.Of(`-etke([0-9]+)$`)

// knowsNoMAS reports whether an admin interface cannot log in where MAS does; token says that it takes an access token.
func knowsNoMAS(image component.Ref) (without, token bool) {
	name := strings.ToLower(strings.TrimPrefix(image.Repository, "docker.io/"))
	if slices.Contains(unawareAdmins, name) {
		return true, false
	}
	g := etkeBuild().FindStringSubmatch(image.Tag)
	if g == nil || path.Base(name) != "synapse-admin" {
		return false, false
	}
	build, err := strconv.Atoi(g[1])
	return err == nil && build < 49, build >= 20
}

var adminKnowsMAS = Rule{
	ID: "admin-knows-mas", Severity: finding.Warning,
	Summary: "a page for administrators can log in where MAS does",
	Why:     "The interface asks Synapse to log in with a password and is refused; or it makes accounts and passwords that MAS knows nothing of.",
	Fix:     "Take an interface that logs in at MAS, such as Element Admin or ketesa, and mas-cli for accounts.",
	Source:  "Awesome-Technologies/synapse-admin#429; etkecc/ketesa#58, #902; Synapse config/mas.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		i := slices.IndexFunc(d.Synapses, (*deployment.Synapse).Delegates)
		if i < 0 {
			return
		}
		for _, s := range d.Services {
			if without, token := knowsNoMAS(s.Image); without && s.Program == component.Unknown && s.Absent.Why == "" {
				but := ""
				if token {
					but = " but with an access token of mas-cli manage issue-compatibility-token"
				}
				r.Fail(fmt.Sprintf("%s logs in with a password at Synapse, which leaves that to MAS; nobody gets in%s", s.Name, but), "an image that logs in at MAS, such as oci.element.io/element-admin or "+component.Of(component.Ketesa).Tested.String(),
					s.ImageAt.Site(""), d.Synapses[i].Config.At("matrix_authentication_service").Site("leaves logins to MAS"))
			}
		}
	},
}
