package check

import (
	"fmt"
	"slices"
	"strings"

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
	Check: func(d *Deployment, r *Reporter) {
		for _, h := range d.secrets() {
			// Nobody reads a bridge's own copy of its registration.
			own := slices.ContainsFunc(d.Bridges, func(b *Bridge) bool { return b.Own != nil && b.Own == h.at.File() })
			if is := h.unquoted(); is != "" && !own && h.at.File() != d.Compose {
				r.Fail(fmt.Sprintf("%s stands there without quotes and reads as %s; %s", h.what, is, misread[h.reader]), "put it in double quotes", h.at.Site(""))
			}
		}
		for _, s := range d.Services {
			for _, v := range s.Value.At("environment").Entries() {
				// Compose writes the value anew: 0123 arrives as 83, 1e3 as 1000.
				if v.Set() && v.NamesSecret() && (v.ReadAs(source.GoYAML) == "a date" || fmt.Sprint(v.Any()) != v.Str()) {
					r.Fail(fmt.Sprintf("%s of %s stands there without quotes and reads as %s; Compose hands on another spelling of it", v.Name(), s.Name, v.ReadAs(source.GoYAML)), "put it in double quotes", v.Site(""))
				}
			}
		}
	},
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

// offWhenEmpty are those that Synapse takes for not set when they are empty.
var offWhenEmpty = []string{"registration_shared_secret", "macaroon_secret_key", "turn_shared_secret", "worker_replication_secret"}

// weakness says what is wrong with a secret and what comes of that; "" when nothing is.
func (h held) weakness() string {
	characters := make(map[rune]bool)
	for _, c := range h.value {
		characters[c] = true
	}
	lower := strings.ToLower(h.value)
	switch {
	case h.kind == chosen && h.value == "" && !slices.Contains(offWhenEmpty, h.at.Name()):
		return "is empty; it protects nothing, or the service does not start"
	case h.value == "", slices.Contains([]string{"generate", "disable"}, h.value): // words of mautrix
	case slices.Contains(examples, lower):
		return "is an example or a word that everybody tries; anybody can guess it"
	case h.kind != chosen:
	case databaseRole(h.value) == h.role:
		return "is the name of the role that it belongs to; anybody can guess it"
	case len(h.value) < shortest:
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
	Check: func(d *Deployment, r *Reporter) {
		uses, hidden := grouped(d.secrets())
		for _, h := range hidden {
			r.NotChecked(h.what+" cannot be seen: "+h.reason, h.at.Site(""))
		}
		first := make(map[string][]held)
		for _, places := range uses {
			h := places[0]
			other, repeated := first[h.value]
			switch weak := h.weakness(); {
			case weak != "" && h.role == sharedWithMAS && h.value == "": // mas-secret-matches says so
			case weak != "":
				r.Fail(h.what+" "+weak, "write a random text, as openssl rand -hex 32 makes it", sitesOf(places)...)
			case h.value == "" || h.kind == given:
			case repeated && strings.HasPrefix(h.role, "as_token") && strings.HasPrefix(other[0].role, "as_token"): // registration-ids-unique says so
			case repeated:
				r.Fail(fmt.Sprintf("%s is the same as %s; whoever may know the one has the other", h.what, other[0].what), "give each a random text of its own", sitesOf(places, other...)...)
			default:
				first[h.value] = places
			}
		}
	},
}

// grouped gives all places of each secret, and the secrets that can be seen nowhere. A file that is missing is
// for other rules.
func grouped(secrets []held) (uses [][]held, hidden []held) {
	at := make(map[[2]string]int)
	seen := make(map[string]bool)
	for _, h := range secrets {
		id := [2]string{h.role, h.value}
		i, known := at[id]
		switch {
		case h.reason != "":
			continue
		case known:
			uses[i] = append(uses[i], h)
		default:
			at[id] = len(uses)
			uses = append(uses, []held{h})
		}
		seen[h.role] = true
	}
	for _, h := range secrets {
		if h.reason != "" && !leadsNowhere(h.reason) && !seen[h.role] {
			hidden = append(hidden, h)
		}
	}
	return uses, hidden
}

// sitesOf are the places of a secret, and of the one that it repeats.
func sitesOf(places []held, others ...held) []source.Site {
	var sites []source.Site
	for _, h := range places {
		sites = append(sites, h.sites("")...)
	}
	for _, h := range others {
		sites = append(sites, h.sites("the same")...)
	}
	return sites
}
