package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

var registrationShape = Rule{
	ID: "registration-shape", Severity: finding.Error,
	Summary: "a registration has the keys that Synapse wants, in the types that it wants",
	Why:     "Synapse does not start: \"Failed to load appservice from …\", \"Required string field: 'id'\", \"Required string field or explicit null: 'url'\", \"Requires 'namespaces' object.\", \"Missing/bad type 'exclusive' key\".",
	Fix:     "Write the key as the bridge's own -g writes it.",
	Source:  "Synapse 1.157.1 config/appservice.py _load_appservice, appservice/__init__.py _check_namespaces",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, reg := range s.Registrations {
				if reg.Root().Kind() != source.Mapping {
					r.Fail("the registration holds no settings; Synapse does not start", "write the registration", reg.Root().Site(""), reg.Listed.Site("listed here"))
					continue
				}
				checkShape(r, d, reg)
				checkExtensions(r, d, s, reg)
			}
			checkProxyPrefixes(r, s)
		}
	},
}

func checkShape(r *Reporter, d *deployment.Deployment, reg *deployment.Registration) {
	var noText []source.Value
	for _, key := range []string{"id", "as_token", "hs_token", "sender_localpart"} {
		switch v := reg.At(key); {
		case !v.Exists():
			r.Fail("the registration has no "+key+"; Synapse does not start", key+`: "…"`, v.Site(""))
		case d.Misquoted(v.Pos()): // secret-quoted says so
		case !pythonString(v):
			noText = append(noText, v)
		}
	}
	severally(r, noText, func(v source.Value) []source.Site { return []source.Site{v.Site("")} }, func(r *Reporter, noText []source.Value) { tellNoText(r, d, reg, noText) })
	if v := reg.At("id"); strings.Contains(v.Str(), "|") {
		r.Fail("the id of a registration must not contain a |; Synapse does not start", "id: "+strings.ReplaceAll(v.Str(), "|", "-"), v.Site(""))
	}
	// double-puppet-registration looks at the other url.
	if v := reg.At("url"); !slices.Contains(d.DoublePuppets, reg) && v.Kind() != source.Null && !pythonString(v) {
		what := "url of the registration is neither a text nor null"
		if !v.Exists() {
			what = "the registration has no url"
		}
		r.FailMend(what+"; Synapse does not start", urlFix(reg, d), v.Site(""))
	}
	for _, key := range []string{"io.element.msc4190", "org.matrix.msc3202"} {
		if _, ok := reg.At(key).Bool(); !ok && reg.At(key).Exists() {
			r.FailMend(key+" of the registration is neither true nor false; Synapse does not start", boolFix(d, reg, reg.At(key)), reg.At(key).Site(""))
		}
	}
	checkNamespaces(r, d, reg)
	checkItems(r, reg.At("protocols"), "a text", "put it in quotes", pythonString)
	checkItems(r, reg.At("ip_range_whitelist"), "a range of addresses", "write it like 10.0.0.0/8", isRange)
}

// tellNoText is one finding for what stands in a registration and is no text. Nothing can be put in quotes where nothing stands.
func tellNoText(r *Reporter, d *deployment.Deployment, reg *deployment.Registration, values []source.Value) {
	var names []string
	var sites []source.Site
	var edits []func() []source.Edit
	for _, v := range values {
		names, sites = append(names, v.Name()), append(sites, v.Site(""))
		if v.Kind() == source.Scalar {
			edits = append(edits, both(d, reg, v, "", inQuotes).edits)
		}
	}
	is, fix := " of the registration is no text; Synapse does not start", mend{text: "put it in quotes"}
	if len(values) > 1 {
		is, fix.text = " of the registration are no text; Synapse does not start", "put them in quotes"
	}
	switch {
	case len(edits) == len(values):
		fix.edits = func() []source.Edit {
			var all [][]source.Edit
			for _, edit := range edits {
				all = append(all, edit())
			}
			return together(all...)
		}
	case len(values) == 1:
		fix.text = "write what the appservice has"
	default:
		fix.text = "write what the appservice has, in quotes"
	}
	r.FailMend(finding.Sentence(names, "and")+is, fix, sites...)
}

// isRange reports whether netaddr takes the value for addresses: a number is one, too, and a mask may stand in
// place of the prefix's length.
func isRange(v source.Value) bool {
	first, mask, masked := strings.Cut(v.Str(), "/")
	_, addrErr := netip.ParseAddr(first)
	_, maskErr := netip.ParseAddr(mask)
	_, prefixErr := netip.ParsePrefix(v.Str())
	_, isInt := v.Int()
	return isInt || prefixErr == nil || addrErr == nil && (!masked || maskErr == nil)
}

func inQuotes(v source.Value) []source.Edit { return v.Become(source.Quote(v.Str())) }

func urlFix(reg *deployment.Registration, d *deployment.Deployment) mend {
	if b := d.BridgeOf(reg); b != nil {
		return both(d, reg, reg.At("url"), "url: "+b.Address(), func(v source.Value) []source.Edit { return v.BecomeText(b.Address()) })
	}
	return mend{text: "url: null, when nothing is to be sent to it"}
}

func checkNamespaces(r *Reporter, d *deployment.Deployment, reg *deployment.Registration) {
	all := reg.At("namespaces")
	if all.Kind() != source.Mapping {
		r.Fail("the registration has no namespaces; Synapse does not start", "namespaces: {users: […]}", all.Site(""))
		return
	}
	for _, kind := range []string{"users", "aliases", "rooms"} {
		list := all.At(kind)
		if list.Exists() && list.Kind() != source.Sequence {
			r.Fail("namespaces."+kind+" is no list; Synapse does not start", kind+": []", list.Site(""))
		}
		for _, ns := range list.Items() {
			regex, exclusive := ns.At("regex"), ns.At("exclusive")
			if ns.Kind() != source.Mapping || !pythonString(regex) {
				r.Fail("a namespace needs a regex that is a text; Synapse does not start", `regex: "^@…$"`, ns.Site(""))
				continue
			}
			if _, ok := exclusive.Bool(); !ok {
				r.FailMend("a namespace needs exclusive to be true or false; Synapse does not start", boolFix(d, reg, exclusive), exclusive.Site(""))
			}
			switch p := d.Pattern(regex.Str()); {
			case p.Bad:
				r.Fail(fmt.Sprintf("%q is no regular expression of Python; Synapse does not start", regex.Str()), "regex: one that Python's re can compile", regex.Site(""))
			case p.Re == nil:
				r.NotChecked(fmt.Sprintf("only Python can tell what %q matches", regex.Str()), regex.Site(""))
			}
		}
	}
}

func checkItems(r *Reporter, list source.Value, what, fix string, fits func(source.Value) bool) {
	// Synapse passes over what Python takes for false.
	if truthy(list) && list.Kind() != source.Sequence {
		r.Fail(list.Name()+" of the registration is no list; Synapse does not start", list.Name()+": []", list.Site(""))
	}
	for _, v := range list.Items() {
		if !fits(v) {
			r.Fail("an entry of "+list.Name()+" is not "+what+"; Synapse does not start", fix, v.Site(""))
		}
	}
}

// boolFix is the line with the truth value that a text seems to mean.
func boolFix(d *deployment.Deployment, reg *deployment.Registration, v source.Value) mend {
	switch strings.ToLower(v.Str()) {
	case "false", "no", "off", "0":
		return inBoth(d, reg, v, "false")
	case "true", "yes", "on", "1":
		return inBoth(d, reg, v, "true")
	}
	return mend{text: v.Name() + ": true"}
}

// pythonString reports whether PyYAML, which Synapse reads with, takes the value for a text.
func pythonString(v source.Value) bool {
	return v.Kind() == source.Scalar && v.ReadAs(source.PyYAML) == ""
}

var registrationSenderNotBot = Rule{
	ID: "registration-sender-not-bot", Severity: finding.Error,
	Summary: "sender_localpart is not the bridge's bot, and needs no escaping in a URL",
	Why:     "Synapse answers /sync of the bot with 500 (NotImplementedError), so it cannot read encrypted rooms; or does not start: \"sender_localpart needs characters which are not URL encoded.\"",
	Fix:     "Give sender_localpart a random word that nobody is called.",
	Source:  "Synapse 1.157.1 config/appservice.py, handlers/sync.py; mautrix docs, Registering appservices",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, reg := range s.Registrations {
				v := reg.At("sender_localpart")
				const fix = `sender_localpart: "…", a random word of letters and digits`
				if v.Set() && notQuoted().MatchString(v.Str()) {
					r.Fail("sender_localpart has characters that a URL would escape; Synapse does not start", fix, v.Site(""))
				}
				b := d.BridgeOf(reg)
				if b == nil || slices.Contains(d.DoublePuppets, reg) {
					continue
				}
				switch bot, at := b.Bot(); {
				case bot == "" || v.Str() != bot:
				case b.Encrypts() && !b.Encryption().At("appservice").True():
					r.Fail(fmt.Sprintf("sender_localpart is the bot of %s itself; Synapse refuses its /sync, and it reads no encrypted message", b.Name), fix, v.Site(""), at.Site("the bot"))
				default:
					r.Warn(fmt.Sprintf("sender_localpart is the bot of %s itself; once the bridge encrypts, Synapse refuses its /sync", b.Name), fix, v.Site(""), at.Site("the bot"))
				}
			}
		}
	},
}

// notQuoted are the characters that Python's urllib.parse.quote does not leave alone.
var notQuoted = regex.Of(`[^A-Za-z0-9_.~/-]`)

var registrationRateLimited = Rule{
	ID: "registration-rate-limited", Severity: finding.Warning,
	Summary: "Synapse does not hold a bridge's messages back",
	Why:     "Messages from the other network come in one by one, long after they were sent; the bridge logs M_LIMIT_EXCEEDED. Without the key, Synapse limits a bridge like a person: ten messages, then one every five seconds.",
	Fix:     "Write rate_limited: false in both copies of the registration.",
	Source:  "Synapse 1.157.1 config/appservice.py, api/ratelimiting.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var texts, limited []ofBridge
		d.BridgeRegistrations(func(_ *deployment.Synapse, reg *deployment.Registration, b *deployment.Bridge) {
			v := reg.At("rate_limited")
			one := ofBridge{b.Name, inBoth(d, reg, v, "false"), []source.Site{v.Site("")}}
			switch _, isBool := v.Bool(); {
			case deployment.IsFalse(v):
			case v.Set() && !isBool:
				texts = append(texts, one)
			default:
				limited = append(limited, one)
			}
		})
		tellBridges(r, texts, func(r *Reporter, names string, fix mend, sites []source.Site) {
			r.WarnMend("rate_limited is a text, which Synapse takes for true; it holds back the messages of "+names, fix, sites...)
		})
		tellBridges(r, limited, func(r *Reporter, names string, fix mend, sites []source.Site) {
			r.WarnMend("Synapse limits "+names+" like a person; a busy chat comes in late", fix, sites...)
		})
	},
}

const (
	stableEphemeral   = "receive_ephemeral"
	unstableEphemeral = "de.sorunome.msc2409.push_ephemeral"
)

var registrationEphemeral = Rule{
	ID: "registration-ephemeral", Severity: finding.Error,
	Summary: "Synapse sends a bridge what people type and read, if the bridge wants it",
	Why:     "The other side never sees that you read or are typing. push_ephemeral alone is read by nobody; Synapse 1.156 sends nothing to a registration that has only the name with msc2409.",
	Fix:     "Write receive_ephemeral: true and de.sorunome.msc2409.push_ephemeral: true in both copies of the registration.",
	Source:  "Synapse 1.157.1 config/appservice.py, CHANGES 1.157.0 (#19928); mautrix-go v0.30.0 appservice/http.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var deaf, silent, old []ofBridge
		var fixed *deployment.Synapse
		d.BridgeRegistrations(func(s *deployment.Synapse, reg *deployment.Registration, b *deployment.Bridge) {
			wants := b.Config.At("appservice", "ephemeral_events")
			stable, unstable := truthy(reg.At(stableEphemeral)), truthy(reg.At(unstableEphemeral))
			ver, known := s.Image.Version()
			switch {
			case deployment.IsFalse(wants):
				if stable || unstable {
					deaf = append(deaf, ofBridge{b.Name, mend{text: "ephemeral_events: true"}, []source.Site{wants.Site(""), reg.At(stableEphemeral).Site("Synapse's")}})
				}
			case !stable && !unstable:
				silent = append(silent, ofBridge{b.Name, inBoth(d, reg, reg.At(stableEphemeral), "true"), []source.Site{reg.At(stableEphemeral).Site(""), wants.Site("the bridge wants them")}})
			case !stable && known && !ver.Less(component.Version{1, 156, 0}) && ver.Less(component.Version{1, 157, 0}):
				fixed = s
				old = append(old, ofBridge{b.Name, inBoth(d, reg, reg.At(stableEphemeral), "true"), []source.Site{reg.At(unstableEphemeral).Site(""), s.ImageAt.Site("fixed in 1.157.0")}})
			}
		})
		tellBridges(r, deaf, func(r *Reporter, names string, fix mend, sites []source.Site) {
			r.WarnMend("Synapse sends typing and receipts to "+names+", which is told not to look at them; nobody on the other side sees them", fix, sites...)
		})
		tellBridges(r, silent, func(r *Reporter, names string, fix mend, sites []source.Site) {
			what := "the registration of " + names + " asks"
			if strings.Contains(names, " and ") {
				what = "the registrations of " + names + " ask"
			}
			r.FailMend(what+" for no typing and receipts; the other side never sees that you read a message", fix, sites...)
		})
		tellBridges(r, old, func(r *Reporter, names string, fix mend, sites []source.Site) {
			r.FailMend(fmt.Sprintf("Synapse %s sends no typing and receipts for %s alone; the other side of %s never sees that you read a message", fixed.Image.Tag, unstableEphemeral, names), fix, sites...)
		})
	},
}

// ofBridge is what is wrong with the registration of one bridge.
type ofBridge struct {
	name  string
	fix   mend
	sites []source.Site
}

// tellBridges has one finding for what is wrong alike with the registrations of several bridges; say is given their names.
func tellBridges(r *Reporter, all []ofBridge, say func(r *Reporter, names string, fix mend, sites []source.Site)) {
	severally(r, all, func(one ofBridge) []source.Site { return one.sites }, func(r *Reporter, all []ofBridge) {
		var names []string
		var sites []source.Site
		fix, certain := all[0].fix, true
		for _, one := range all {
			names, sites, certain = append(names, one.name), append(sites, one.sites...), certain && one.fix.edits != nil
		}
		if len(all) > 1 {
			fix = unless(!certain, mend{fix.text, func() []source.Edit {
				var edits [][]source.Edit
				for _, one := range all {
					edits = append(edits, one.fix.edits())
				}
				return together(edits...)
			}})
		}
		say(r, finding.Sentence(names, "and"), fix, sites)
	})
}

// truthy is what Python takes for true of a value that nobody checks.
func truthy(v source.Value) bool {
	switch yes, isBool := v.Bool(); {
	case isBool:
		return yes
	case v.Kind() == source.Scalar:
		return v.Str() != "" && v.Str() != "0"
	}
	return v.Len() > 0
}
