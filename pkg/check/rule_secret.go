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

// misread is what comes of a secret that its reader takes for no text.
var misread = map[source.Reader]string{
	source.PyYAML:    "Synapse does not start, or goes by something else than what is written",
	source.SerdeYAML: "MAS does not start",
	source.GoYAML:    "the bridge does not get what is written",
}

var secretQuoted = Rule{
	ID: "secret-quoted", Severity: finding.Error,
	Summary: "a secret that YAML 1.1 or 1.2 would read as something else stands in quotes",
	Why:     "A password of digits, such as 1e3 or 0123, is a number to one program and a text to another: \"Config option must be a string\", \"invalid type: integer\", \"Ignoring incorrect config field type !!int\", or a password that is refused though it looks the same in both files.",
	Fix:     "Put every secret in double quotes.",
	Source:  "PyYAML 6 yaml/resolver.py; serde_yaml 0.9 de.rs; yaml.v3 resolve.go; compose-go v2",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, h := range d.Secrets() {
			is := h.Unquoted()
			if is == "" || h.Idle || h.At.Pos().File == d.File || becomesText(h) {
				continue
			}
			// Nobody reads a bridge's own copy of its registration.
			if !slices.ContainsFunc(d.Bridges, func(b *deployment.Bridge) bool { return b.Own != nil && b.Own.Path == h.At.Pos().File }) {
				r.FailMend(fmt.Sprintf("%s stands there without quotes and reads as %s; %s", h.What, is, misread[h.Reader]), quotedSecret(d, h.At), h.At.Site(""))
			}
		}
		for _, s := range d.Services {
			for _, e := range s.Variables {
				// Compose writes the value anew: 0123 arrives as 83, 1e3 as 1000.
				if v := e.At; v.Set() && !e.FromFile && v.NamesSecret() && (v.ReadAs(source.GoYAML) == "a date" || v.Respelt()) {
					r.FailMend(fmt.Sprintf("%s of %s stands there without quotes and reads as %s; %s", v.Name(), s.Name, v.ReadAs(source.GoYAML), respelt(d)), quotedSecret(d, v), v.Site(""))
				}
			}
		}
	},
}

// becomesText reports whether what takes a number makes the text of it again: psycopg2 does of a password for PostgreSQL
// (extensions.make_dsn).
func becomesText(h deployment.Secret) bool {
	text := h.At.Str()
	return h.Reader == source.PyYAML && h.At.Path() == "database.args.password" && strings.Trim(text, "0123456789") == "" && !strings.HasPrefix(text, "0")
}

// quotedSecret puts a secret into quotes, and in both copies of a registration.
func quotedSecret(d *deployment.Deployment, at deployment.Leaf) mend {
	const text = "put it in double quotes"
	for _, s := range d.Synapses {
		for _, reg := range s.Registrations {
			if v := reg.At(at.Name()); v.Exists() && v.Pos() == at.Pos() {
				return both(d, reg, v, text, inQuotes)
			}
		}
	}
	return mend{text, func() []source.Edit { return at.Become(source.Quote(at.Str())) }}
}

// examples are the secrets that stand in the documentation of Synapse 1.157, MAS 1.22, mautrix and the
// PostgreSQL image, and words that everybody tries first; all in lower case.
var examples = strings.Split(strings.ToLower(`<private string>
YOUR_SHARED_SECRET
YOUR_PRIVATE_KEY
secret_secret
secretpassword
mypassword
examplepassword
EVEN_MORE_SECRET
someverysecuresecret
n0t4ctuAllymatr1Xd0TorgSshar3d5ecret4obvIousreAsons
provided-by-your-issuer
staticAuthSecretHere
SomeRandomSecret
AVeryRandomSecretPleaseUseSomethingSecure
secretPepperValue
supersecret
<client-secret>
<app-secret>
c7e42fb8baba8f228b2e169fdf4c8216dffd5d33ad18bafd8b928c09ca46c718
eequie6Oth4Ip2InahT5zuQu8OuPohLi
phoo8ahneir3ohY2eigh4xuu6Oodaewi
wie9oh2EekeeDeithei9Eipaeh2sohte
This value is generated when generating the registration
mysecretpassword
changeme
change-me
change_me
changeit
password
password1
password123
passw0rd
postgres
postgresql
synapse
telegram
whatsapp
secret
12345678
123456789
1234567890
qwertyuiop`), "\n")

const (
	// NIST SP 800-63B has 8 characters as the least for a secret that a person chooses. It also stays below
	// every word that somebody made up for a network of containers only.
	shortest = 8
	// distinct rules out aaaaaaaa and 12121212.
	distinct = 4
)

// noSecrets are words that mautrix bridges read in the place of a secret: make one, and do without.
var noSecrets = []string{"generate", "disable"}

// offWhenEmpty are those that Synapse takes for not set when they are empty.
var offWhenEmpty = []string{"registration_shared_secret", "macaroon_secret_key", "turn_shared_secret", "worker_replication_secret"}

const isExample = "is an example or a word that everybody tries; anybody can guess it"

// weakness says what is wrong with a secret and what comes of that; "" when nothing is.
func weakness(h deployment.Secret) string {
	characters := make(map[rune]bool)
	for _, c := range h.Value {
		characters[c] = true
	}
	lower := strings.ToLower(h.Value)
	switch {
	case h.Value == "" && !h.At.Scalar():
		return "" // {{SECRET}}, which config-variables sees
	case h.Origin == component.Chosen && h.Value == "" && !slices.Contains(offWhenEmpty, h.At.Name()):
		return "is empty; it protects nothing, or the service does not start"
	case h.Value == "", slices.Contains(noSecrets, h.Value):
	case slices.Contains(examples, lower), placeholders().MatchString(h.Value):
		return isExample
	case h.Origin != component.Chosen:
	case deployment.DatabaseRole(h.Value) == h.Role:
		return "is the name of the role that it belongs to; anybody can guess it"
	case len(h.Value) < shortest:
		return fmt.Sprintf("has fewer than %d characters; it can be guessed", shortest)
	case len(characters) <= distinct:
		return "repeats a few characters; it can be guessed"
	}
	return ""
}

var secretStrength = Rule{
	ID: "secret-strength", Severity: finding.Error,
	Summary: "no secret is an example, empty, short, or used for two things",
	Why:     "Whoever reads the documentation, or tries a list of common words, registers administrators, reads the database or sends messages as anybody. With one secret for two things, whoever may know the one has the other.",
	Fix:     "Take a random text of its own for each: openssl rand -hex 32.",
	Source:  "Synapse docs/usage/configuration; MAS docs/reference/configuration.md; mautrix example configurations; NIST SP 800-63B",
	Check: func(d *deployment.Deployment, r *Reporter) {
		uses, hidden := grouped(d.Secrets())
		for _, h := range hidden {
			r.NotChecked(h.What+" cannot be seen: "+h.Reason, h.At.Site(""))
		}
		first := make(map[string][]deployment.Secret)
		// By what is wrong with them, and the file that a person has to fill in.
		weaknesses := make(map[[2]string][][]deployment.Secret)
		var causes [][2]string
		for _, places := range uses {
			h := places[0]
			if !slices.ContainsFunc(places, func(h deployment.Secret) bool { return !h.Idle }) {
				continue
			}
			other, repeated := first[h.Value]
			switch weak := weakness(h); {
			case weak != "" && h.Role == deployment.SharedWithMAS && h.Value == "": // mas-secret-matches says so
			case weak != "" && h.Value == "" && strings.Contains(h.At.Written(), "-}"): // ${NAME:-}, whose file is not here
				r.NotChecked(h.What+" cannot be seen: it is empty unless a variable is set elsewhere", h.At.Site(""))
			case weak != "" && h.Value != "" && strings.HasPrefix(h.Role, deployment.DatabaseRole("")) && !databasePublished(d):
				fact, _, _ := strings.Cut(weak, ";")
				r.Warn(h.What+" "+fact+"; whoever gets into a container that reaches the database can guess it", "write a random text, as openssl rand -hex 32 makes it", sitesOf(places)...)
			case weak == isExample && strings.EqualFold(h.Value, untilRegistered) && registersItself(d, h.At.Pos().File): // bridge-writes says what comes of that
			case weak != "":
				file := h.At.Pos().File
				if by := d.Scripts.Write(h.File()); by != "" && h.Value == "" && h.File() != file {
					r.NotChecked(fmt.Sprintf("%s may write %s, which is empty here", by, h.File()), h.At.Site(""))
					continue
				}
				if by := d.Scripts.Fill(file, h.Value); by != "" && weak == isExample {
					r.NotChecked(fmt.Sprintf("%s may put another value in the place of %s in %s", by, h.At.Name(), file), h.At.Site(""))
					continue
				}
				cause := [2]string{weak, file}
				if weaknesses[cause] == nil {
					causes = append(causes, cause)
				}
				weaknesses[cause] = append(weaknesses[cause], places)
			case h.Value == "" || h.Origin == component.Given || slices.Contains(noSecrets, h.Value):
			case repeated && h.At.Pos() == other[0].At.Pos(): // two that read one file
			case repeated && strings.HasPrefix(h.Role, "as_token") && strings.HasPrefix(other[0].Role, "as_token"): // registration-ids-unique says so
			case repeated:
				r.Warn(fmt.Sprintf("%s is the same as %s; whoever may know the one has the other", h.What, other[0].What), "give each a random text of its own", sitesOf(places, other...)...)
			default:
				first[h.Value] = places
			}
		}
		for _, cause := range causes {
			severally(r, weaknesses[cause], func(places []deployment.Secret) []source.Site { return sitesOf(places) }, func(r *Reporter, uses [][]deployment.Secret) {
				reportWeak(r, cause[0], uses)
			})
		}
		checkTurnStrength(d, r)
	},
}

// untilRegistered stands in the example of a bridge in the place of its tokens, until its start script makes a registration.
const untilRegistered = "This value is generated when generating the registration"

// registersItself reports whether that is the configuration of a bridge whose start script makes a registration, and the tokens with it.
func registersItself(d *deployment.Deployment, file string) bool {
	return slices.ContainsFunc(d.Bridges, func(b *deployment.Bridge) bool {
		scripted := b.StartScript() || b.Dialect.InPython() && len(b.Command()) == 0
		return b.Config.Path == file && scripted && b.Own == nil
	})
}

// severalWeak are the words of weakness about several secrets.
var severalWeak = strings.NewReplacer(
	"is an example or a word that everybody tries", "are examples or words that everybody tries",
	"is empty; it protects", "are empty; they protect",
	"is the name of the role that it belongs to", "are the names of the roles that they belong to",
	"has fewer", "have fewer",
	"repeats a few characters", "repeat a few characters",
	"guess it", "guess them", "it can", "they can",
)

// reportWeak is one finding for all that a person has left so in one file.
func reportWeak(r *Reporter, weak string, uses [][]deployment.Secret) {
	var names []string
	var sites []source.Site
	for _, places := range uses {
		names = append(names, places[0].What)
		sites = append(sites, sitesOf(places)...)
	}
	if len(names) == 1 {
		r.Fail(names[0]+" "+weak, "write a random text, as openssl rand -hex 32 makes it", sites...)
		return
	}
	r.Fail(finding.Sentence(deployment.AtMost(names, 3), "and")+" "+severalWeak.Replace(weak), "write a random text of its own for each, as openssl rand -hex 32 makes it", sites...)
}

// databasePublished reports whether a PostgreSQL of the stack can be reached from outside of its networks.
func databasePublished(d *deployment.Deployment) bool {
	return slices.ContainsFunc(d.PostgresServers(), func(s *deployment.Service) bool {
		return len(s.Outside()) > 0 || !s.SpansKnown || s.NetworkMode.Set()
	})
}

// grouped gives all places of each secret, and the secrets that can be seen nowhere. A file that is missing is
// for other rules.
func grouped(secrets []deployment.Secret) (uses [][]deployment.Secret, hidden []deployment.Secret) {
	at := make(map[[2]string]int)
	seen := make(map[string]bool)
	for _, h := range secrets {
		id := [2]string{h.Role, h.Value}
		i, known := at[id]
		switch {
		case h.Reason != "":
			continue
		case known:
			uses[i] = append(uses[i], h)
		default:
			at[id] = len(uses)
			uses = append(uses, []deployment.Secret{h})
		}
		seen[h.Role] = true
	}
	for _, h := range secrets {
		if h.Reason != "" && !deployment.LeadsNowhere(h.Reason) && !seen[h.Role] {
			hidden = append(hidden, h)
		}
	}
	return uses, hidden
}

// sitesOf are the places of a secret, and of the one that it repeats.
func sitesOf(places []deployment.Secret, others ...deployment.Secret) []source.Site {
	var sites []source.Site
	for _, h := range places {
		sites = append(sites, h.Sites("")...)
	}
	for _, h := range others {
		sites = append(sites, h.Sites("the same")...)
	}
	return sites
}

// respelt is what comes of a value that is no text where a variable is one.
func respelt(d *deployment.Deployment) string {
	if d.Target == deployment.Kubernetes {
		return "the cluster refuses the manifest"
	}
	return "Compose hands on another spelling of it"
}
