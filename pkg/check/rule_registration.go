package check

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var registrationCopiesEqual = Rule{
	ID: "registration-copies-equal", Severity: finding.Error,
	Summary: "a bridge's registration and Synapse's copy of it say the same",
	Why:     "Whoever changes one copy and not the other gets 401 M_UNKNOWN_TOKEN, ghosts that cannot register, or a flag without effect.",
	Fix:     "Make both copies equal.",
	Source:  "mautrix docs, Registering appservices",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			theirs := d.RegistrationOf(b)
			if b.Own == nil || theirs == nil {
				continue
			}
			differences(b.Own.Root(), theirs.Root(), func(a, z source.Value) {
				name := a.Path()
				if name == "" {
					name = z.Path()
				}
				r.Fail(fmt.Sprintf("%s differs between the two copies of the registration of %s; Synapse goes by its own", name, b.Name),
					"make both copies equal", z.Site("Synapse's copy"), a.Site("the bridge's copy"))
			})
		}
		for _, a := range d.Appservices {
			if a.Own == nil {
				continue
			}
			differences(a.Own.Root(), a.Registration.Root(), func(own, theirs source.Value) {
				name := cmp.Or(own.Path(), theirs.Path())
				if slices.Contains([]string{"as_token", "hs_token", "url"}, name) {
					return // appservice-agrees says so, and of its own url nobody makes use
				}
				r.Warn(fmt.Sprintf("%s differs between the two copies of the registration of %s; where it goes by its own, it does what Synapse does not expect", name, a.Name),
					"make both copies equal", theirs.Site("Synapse's copy"), own.Site("its own copy"))
			})
		}
	},
}

// differences calls f for the deepest values in which a and z differ.
func differences(a, z source.Value, f func(a, z source.Value)) {
	// PyYAML and the bridges read yes and true alike.
	yes, isBool := a.Bool()
	also, areBools := z.Bool()
	switch {
	case a.Equal(z), isBool && areBools && yes == also:
	case a.Kind() == source.Mapping && z.Kind() == source.Mapping:
		for k, v := range a.Entries() {
			differences(v, z.At(k.Str()), f)
		}
		for k, v := range z.Entries() {
			if !a.At(k.Str()).Exists() {
				f(a.At(k.Str()), v)
			}
		}
	case a.Kind() == source.Sequence && z.Kind() == source.Sequence && a.Len() == z.Len():
		zs := z.Items()
		for i, v := range a.Items() {
			differences(v, zs[i], f)
		}
	default:
		f(a, z)
	}
}

var registrationListed = Rule{
	ID: "registration-listed", Severity: finding.Error,
	Summary: "Synapse lists every registration by its path in the container, and every listed file is there",
	Why:     "Synapse does not start (\"No such file or directory\"), or the bridge stops with \"The as_token was not accepted. Is the registration file installed in your homeserver correctly?\".",
	Fix:     "Name the registration below app_service_config_files by the path that Synapse's container sees.",
	Source:  "Synapse config/appservice.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			list := s.Config.At("app_service_config_files")
			if list.Exists() && list.Kind() != source.Sequence {
				continue // synapse-required-keys says so
			}
			var gone []deployment.MissingFile
			for _, m := range s.Missing {
				if m.Hidden {
					r.NotChecked(fmt.Sprintf("the registration %s cannot be seen: %s", m.Value.Str(), m.Reason), m.Value.Site(""))
					continue
				}
				if host, _ := s.HostPath(m.Value.Str()); m.Broken || mountMissed(d, s.Service, host) {
					continue
				}
				gone = append(gone, m)
			}
			severally(r, gone, func(m deployment.MissingFile) []source.Site { return []source.Site{m.Value.Site("")} }, notThere)
			for _, b := range d.Bridges {
				if d.RegistrationOf(b) == nil {
					unlisted(r, d, s, b, list)
				}
			}
			if len(d.Synapses) > 1 || len(s.Missing) > 0 || s.Partial() {
				continue
			}
			for _, a := range d.Unregistered() {
				r.Warn(fmt.Sprintf("Synapse lists no registration of %s; whatever that sends is refused with M_UNKNOWN_TOKEN, and it is sent nothing", a.Name),
					"app_service_config_files: the same file, at a path that Synapse's container sees", list.Site(""), a.Own.At("as_token").Site("its token"))
			}
		}
	},
}

// notThere says which registrations Synapse does not find.
func notThere(r *Reporter, gone []deployment.MissingFile) {
	const fix = "write the path that Synapse's container sees"
	if len(gone) == 1 {
		r.Fail(fmt.Sprintf("the registration %s is not there for Synapse: %s; Synapse does not start", gone[0].Value.Str(), gone[0].Reason), fix, gone[0].Value.Site(""))
		return
	}
	var names []string
	var sites []source.Site
	for _, m := range gone {
		names, sites = append(names, m.Value.Str()), append(sites, m.Value.Site(m.Reason))
	}
	r.Fail(fmt.Sprintf("the registrations %s are not there for Synapse; Synapse does not start", finding.Sentence(deployment.AtMost(names, 3), "and")), fix, sites...)
}

// unlisted judges a bridge of which Synapse lists no registration that can be seen. One that cannot be seen counts
// only where it may be the bridge's.
func unlisted(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, b *deployment.Bridge, list source.Value) {
	if s.Partial() && !list.Set() {
		r.NotChecked("app_service_config_files, which is to list "+b.Name+", may stand in another of Synapse's configuration files", list.Site(""))
		return
	}
	hidden := ""
	for _, m := range s.Missing {
		switch {
		case ofAnother(d, m.Value.Str(), b):
		case !m.Hidden:
			return // it has a finding, and Synapse does not start with it
		default:
			hidden = cmp.Or(hidden, m.Value.Str())
		}
	}
	fix, sites := listFix(s, b, list), []source.Site{list.Site(""), b.Config.At("appservice", "id").Site("the bridge")}
	if hidden == "" {
		r.Fail(fmt.Sprintf("Synapse lists no registration of the bridge %s; the bridge stops because its as_token is not accepted", b.Name), fix, sites...)
		return
	}
	if host := lyingBy(d, s, b); host != "" {
		r.Warn(fmt.Sprintf("Synapse does not list %s, the registration of the bridge %s; unless it is %s, which cannot be seen, the bridge stops because its as_token is not accepted", host, b.Name, hidden),
			fix, sites...)
		return
	}
	r.NotChecked(fmt.Sprintf("whether Synapse lists the registration of %s cannot be told, for %s cannot be seen", b.Name, hidden), sites...)
}

// lyingBy is a registration with the bridge's as_token where Synapse has its configuration or other registrations,
// as a path of the deployment; "" when there is none.
func lyingBy(d *deployment.Deployment, s *deployment.Synapse, b *deployment.Bridge) string {
	token, _, _ := b.Setting("appservice.as_token")
	dirs := []string{path.Dir(s.Config.Path)}
	for _, reg := range s.Registrations {
		if dir := path.Dir(reg.Path); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		entries, _ := fs.ReadDir(d.FS, dir)
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			if ext := path.Ext(name); token != "" && e.Type().IsRegular() && (ext == ".yaml" || ext == ".yml") && d.Registers(name, token) {
				return name
			}
		}
	}
	return ""
}

// ofAnother reports whether the path of a registration says that it is not the bridge's: it has the name of another
// bridge or service, and none of this one's.
func ofAnother(d *deployment.Deployment, file string, b *deployment.Bridge) bool {
	words := strings.FieldsFunc(strings.ToLower(file), func(c rune) bool { return c == '/' || c == '.' || c == '-' || c == '_' })
	has := func(name string) bool { return name != "" && slices.Contains(words, strings.ToLower(name)) }
	mine := append(b.Names(), b.Known(), b.Config.At("appservice", "id").Str())
	mine = append(mine, b.About.AlsoCalled...)
	for _, c := range b.Component().Siblings() { // one was the other
		mine = append(mine, string(c.Program))
	}
	if slices.ContainsFunc(mine, has) {
		return false
	}
	// A directory may be called after Synapse, its server or whatever holds all of them.
	if words = strings.FieldsFunc(strings.ToLower(path.Base(file)), func(c rune) bool { return c == '.' || c == '-' || c == '_' }); has("doublepuppet") {
		return true
	}
	for c := range component.Bridges() {
		if has(string(c.Program)) {
			return true
		}
	}
	return slices.ContainsFunc(d.Services, func(o *deployment.Service) bool {
		return o.Name != b.Name && (o.Program == component.Unknown || isBridge(d, o)) && has(o.Name)
	})
}

// bridge reports whether the service is one of the bridges whose configuration was read.
func isBridge(d *deployment.Deployment, s *deployment.Service) bool {
	return slices.ContainsFunc(d.Bridges, func(b *deployment.Bridge) bool { return b.Service == s })
}

// listFix is the line that lists the bridge's registration: by the path that Synapse sees, if it sees it.
func listFix(s *deployment.Synapse, b *deployment.Bridge, list source.Value) string {
	at := path.Join(path.Dir(s.ConfigPath), b.Name+".yaml")
	if b.Own != nil {
		for _, m := range s.Mounts {
			if rest, ok := strings.CutPrefix(b.Own.Path, m.Host); m.Host != "" && ok && (rest == "" || rest[0] == '/') {
				at = path.Clean(m.Container) + rest
			}
		}
	}
	if list.Kind() == source.Sequence {
		return "- " + at
	}
	return "app_service_config_files: [" + at + "]"
}

var registrationTokensMatch = Rule{
	ID: "registration-tokens-match", Severity: finding.Error,
	Summary: "as_token and hs_token of a bridge are those of Synapse's registration",
	Why:     "as_token: the bridge stops with \"The as_token was not accepted\". hs_token: \"Homeserver -> appservice connection is not working\", M_UNKNOWN_TOKEN.",
	Fix:     "Copy the token from one side to the other.",
	Source:  "mautrix-go bridgev2/matrix; Synapse config/appservice.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			reg := d.RegistrationOf(b)
			if reg == nil {
				continue
			}
			var differ []differing
			for _, token := range []string{"as_token", "hs_token"} {
				text, mine, reason := b.Setting("appservice." + token)
				theirs := reg.At(token)
				switch {
				case reason != "":
					r.NotChecked(token+" of "+b.Name+" cannot be seen: "+reason, mine.Site(""))
				case text == "" && !pythonString(theirs): // registration-shape says so
				case strings.EqualFold(text, untilRegistered) && registersItself(d, b.Config.Path): // bridge-writes says so
				case text != theirs.Str() || text == "":
					differ = append(differ, differing{token, []source.Site{mine.Site("the bridge's"), theirs.Site("Synapse's differs")}})
				}
			}
			severally(r, differ, func(t differing) []source.Site { return t.sites }, func(r *Reporter, differ []differing) { tellDiffering(r, b, differ) })
		}
	},
}

// differing is a token of which a bridge and Synapse have different ones.
type differing struct {
	name  string
	sites []source.Site
}

// tellDiffering is one finding for both tokens: they are made together.
func tellDiffering(r *Reporter, b *deployment.Bridge, tokens []differing) {
	var names []string
	var sites []source.Site
	for _, t := range tokens {
		names, sites = append(names, t.name), append(sites, t.sites...)
	}
	differs, fix := "differs", "write the same token in both places"
	if len(tokens) > 1 {
		differs, fix = "differ", "write the same tokens in both places"
	}
	r.Fail(fmt.Sprintf("%s of the bridge %s %s from Synapse's registration; the bridge does not start", finding.Sentence(names, "and"), b.Name, differs), fix, sites...)
}

var registrationIDsUnique = Rule{
	ID: "registration-ids-unique", Severity: finding.Error,
	Summary: "every registration has an id and an as_token of its own, and the id is the bridge's",
	Why:     "Synapse does not start: \"Cannot reuse ID across application services\". Or the bridge stops with M_FORBIDDEN \"Mismatching application service ID\".",
	Fix:     "Give each registration its own id and as_token, and the bridge's appservice.id the same id.",
	Source:  "Synapse config/appservice.py; rest/client/appservice_ping.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, key := range []string{"id", "as_token"} {
				having := make(map[string][]source.Value)
				var order []string
				for _, reg := range s.Registrations {
					v := reg.At(key)
					text := v.Str()
					if by := d.Scripts.Fill(reg.Path, text); by != "" && key == "as_token" {
						continue // it puts another in its place; secret-strength says so
					}
					if having[text] = append(having[text], v); len(having[text]) == 1 {
						order = append(order, text)
					}
				}
				for _, text := range order {
					if same := having[text]; len(same) > 1 && same[0].Set() {
						tellSame(r, key, same)
					}
				}
			}
		}
		for _, b := range d.Bridges {
			reg, mine := d.RegistrationOf(b), b.Config.At("appservice", "id")
			if reg != nil && mine.Set() && mine.Str() != reg.At("id").Str() {
				r.FailMend(fmt.Sprintf("the bridge calls itself %q, but Synapse's registration %q; the bridge stops with M_FORBIDDEN", mine.Str(), reg.At("id").Str()),
					say(mine, reg.At("id").Str()), mine.Site("the bridge's"), reg.At("id").Site("Synapse's"))
			}
		}
	},
}

// tellSame is one finding for all registrations that have the same id or token.
func tellSame(r *Reporter, key string, same []source.Value) {
	many, fix := "two", "give one of them another "+key
	if len(same) > 2 {
		many, fix = strconv.Itoa(len(same)), "give each another "+key
	}
	var sites []source.Site
	var note string
	for _, v := range slices.Backward(same) {
		sites = append(sites, v.Site(note))
		note = "the other"
	}
	r.Fail(many+" registrations have the same "+key+"; Synapse does not start", fix, sites...)
}

// needsMSC4190Flag reports whether the Synapse goes by the flag in a registration, and from which version
// on it does not.
func needsMSC4190Flag(s *deployment.Synapse) (needed, known bool) {
	v, ok := s.Image.Version()
	if !ok {
		return false, false
	}
	if s.Delegates() {
		return v.Less(component.Version{1, 139, 0}), true
	}
	return v.Less(component.Version{1, 141, 0}), true
}

var registrationMSC4190 = Rule{
	ID: "registration-msc4190", Severity: finding.Error,
	Summary: "io.element.msc4190 in Synapse's registration is what the bridge's encryption.msc4190 says",
	Why:     "Synapse below 1.139 (1.141 without MAS): the bridge's bot cannot make its device (M_NOT_FOUND, or M_UNRECOGNIZED on /login). Flag without the bridge's setting and without MAS: IO.ELEMENT.MSC4190.M_APPSERVICE_LOGIN_UNSUPPORTED.",
	Fix:     "Write io.element.msc4190: true in both copies of the registration, and msc4190: true in the bridge's encryption section.",
	Source:  "Synapse storage/databases/main/appservice.py, rest/client/devices.py; mautrix-go bridgev2/matrix/crypto.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, reg := range s.Registrations {
				b := d.BridgeOf(reg)
				if b == nil || !b.Encrypts() {
					continue
				}
				flag, setting := reg.At("io.element.msc4190"), b.Msc4190()
				needed, known := needsMSC4190Flag(s)
				switch {
				case setting.True() && !flag.True() && !known:
					r.NotChecked("the tag of Synapse's image says no version; below 1.139 (1.141 without MAS) io.element.msc4190 would be missing here", flag.Site("Synapse's copy"))
				case setting.True() && !flag.True() && needed:
					r.FailMend(fmt.Sprintf("io.element.msc4190 is missing in Synapse's registration of %s; Synapse %s then refuses the device of the bridge's bot", b.Name, s.Image.Tag),
						inBoth(d, reg, flag, "true"), flag.Site("Synapse's copy"), setting.Site("the bridge relies on it"))
				case flag.True() && !setting.True() && !s.Delegates():
					r.FailMend(fmt.Sprintf("Synapse refuses the login of %s's bot because of io.element.msc4190, but the bridge does not use it; the bridge does not start", b.Name),
						set(setting, "true"), setting.Site("the bridge's"), flag.Site("Synapse's"))
				}
			}
		}
	},
}

var registrationMSC4190Spelling = Rule{
	ID: "registration-msc4190-spelling", Severity: finding.Error,
	Summary: "org.matrix.msc4190 does not stand alone: only io.element.msc4190 is read",
	Why:     "The flag has no effect at all: neither Synapse nor any bridge knows org.matrix.msc4190, and unknown keys are ignored.",
	Fix:     "Write io.element.msc4190: true.",
	Source:  "Synapse config/appservice.py; mautrix-go appservice/registration.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, reg := range s.Registrations {
				if v := reg.At("org.matrix.msc4190"); v.True() && !reg.At("io.element.msc4190").Exists() {
					r.FailMend("org.matrix.msc4190 is read by nobody; without io.element.msc4190 it has no effect", inBoth(d, reg, reg.At("io.element.msc4190"), "true"), v.Site(""))
				}
			}
		}
	},
}
