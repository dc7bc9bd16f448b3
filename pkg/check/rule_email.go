package check

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var masEmail = Rule{
	ID: "mas-email", Severity: finding.Error,
	Summary: "MAS takes its email section, and has one where its settings need mail",
	Why:     "MAS does not start: \"missing field `hostname`\", \"missing field `mode`\", \"missing field `password`\", \"Invalid input for key default.email.from\". Or it tells a person to look for a mail that it has given to nobody, because its transport is blackhole, the default.",
	Fix:     "Write email: {transport: smtp, hostname: …, mode: starttls, from: …, reply_to: …}, or turn off what needs mail.",
	Source:  "MAS crates/config/src/sections/email.rs (validate), account.rs; run with MAS 1.22.0",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			checkEmail(r, m)
			checkMailNeeded(r, m)
		}
	},
}

// stopsAt is what a transport of MAS wants and does not bear.
var stopsAt = map[string]struct {
	wants []struct{ key, fix string }
	never []string
}{
	"smtp": {
		[]struct{ key, fix string }{{"mode", "mode: starttls, or tls, or plain"}, {"hostname", "hostname: smtp.example.org"}},
		[]string{"command"},
	},
	"sendmail": {
		[]struct{ key, fix string }{{"command", "command: sendmail"}},
		[]string{"mode", "hostname", "port", "username", "password"},
	},
}

func checkEmail(r *Reporter, m *deployment.MAS) {
	email := m.Config.At("email")
	if email.Set() && !m.EmailSet("transport") {
		r.Fail("email has no transport; MAS does not start (missing field `transport`)", "transport: smtp", email.Site(""))
	}
	if val, _ := m.Env("MAS_EMAIL_TRANSPORT"); val != "" {
		return
	}
	transport := stopsAt[email.At("transport").Str()]
	for _, want := range transport.wants {
		if !m.EmailSet(want.key) {
			r.Fail(fmt.Sprintf("email has no %s, which its transport wants; MAS does not start (missing field `%s`)", want.key, want.key),
				want.fix, email.Site(""), email.At("transport").Site("the transport"))
		}
	}
	for _, key := range transport.never {
		if v := email.At(key); v.Set() {
			r.Fail(fmt.Sprintf("email.%s means nothing to the transport %s; MAS does not start (unknown field `%s`)", key, email.At("transport").Str(), key),
				"remove the line", v.Site(""), email.At("transport").Site("the transport"))
		}
	}
	if transport.wants == nil {
		return
	}
	for _, key := range []string{"from", "reply_to"} {
		if v := email.At(key); v.IsString() {
			if _, err := mail.ParseAddress(v.Str()); err != nil {
				r.Fail(fmt.Sprintf("email.%s is not an address; MAS does not start (Invalid input for key default.email.%s)", key, key),
					key+": matrix@example.org", v.Site(""))
			}
		}
	}
	user, password := email.At("username"), email.At("password")
	if file := email.At("password_file"); !password.Set() {
		password = file
	}
	if file := email.At("password_file"); file.Set() {
		namedByMAS(r, m, file)
	}
	if text, at, reason := m.Deployment().SecretOf(m.Service, email, "password", "password_file"); user.Set() && password.Set() && text == "" && reason == "" {
		r.Fail("the password for the mail server is empty; it refuses every mail", "write the password of "+user.Str(), at.Site(""), user.Site("its user"))
	}
	switch given := m.EmailSet("password") || m.EmailSet("password_file"); {
	case user.Set() && !given:
		r.Fail("email has a username without a password; MAS does not start (missing field `password`)", "password_file: the path of a file that holds it", user.Site(""))
	case password.Set() && !m.EmailSet("username"):
		r.Fail("email has a password without a username; MAS does not start (missing field `username`)", "username: the user of that password", password.Site(""))
	case email.At("password").Set() && email.At("password_file").Set():
		r.Fail("email has both password and password_file; MAS does not start (duplicate field)", "keep one of them", email.At("password_file").Site(""), email.At("password").Site("the other"))
	}
}

// checkMailNeeded has what somebody turned on that cannot be had without mail.
func checkMailNeeded(r *Reporter, m *deployment.MAS) {
	email := m.Config.At("email")
	if deployment.IsFalse(m.Config.At("passwords", "enabled")) {
		return // MAS offers neither
	}
	if m.EmailSet("transport") && email.At("transport").Str() != "blackhole" {
		return
	}
	site := email.At("transport").Site("no mail leaves")
	account := m.Config.At("account")
	if v := account.At("password_recovery_enabled"); v.True() {
		r.Fail("password_recovery_enabled is on, but MAS sends no mail; whoever has lost a password waits for one that never comes",
			"password_recovery_enabled: false, or an email section", v.Site(""), site)
	}
	if v := account.At("password_registration_enabled"); v.True() && !deployment.IsFalse(account.At("password_registration_email_required")) {
		r.Fail("password_registration_enabled wants an address that is proven, but MAS sends no mail; nobody can register",
			"password_registration_email_required: false, or an email section", v.Site(""), site)
	}
}

var synapseEmail = Rule{
	ID: "synapse-email", Severity: finding.Error,
	Summary: "Synapse takes its email section, and sends mail by it",
	Why:     "Synapse does not start: \"email.notif_from\", \"email.require_transport_security requires email.enable_tls to be true\". Or it sends nothing: next to MAS its only mails are notifications, and those are off by default.",
	Fix:     "Write enable_notifs: true and notif_from; of the three keys for TLS, force_tls for port 465, require_transport_security for 587.",
	Source:  "Synapse config/emailconfig.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			email := s.Config.At("email")
			if !s.Partial() && !s.Delegates() {
				checkProofs(r, s, email)
			}
			if email.Len() == 0 {
				continue
			}
			if !s.Partial() {
				checkSynapseSender(r, s, email)
			}
			for _, key := range []string{"force_tls", "require_transport_security"} {
				if v := email.At(key); v.True() && deployment.IsFalse(email.At("enable_tls")) {
					r.Fail(fmt.Sprintf("email.%s requires enable_tls; Synapse does not start", key), "remove enable_tls", v.Site(""), email.At("enable_tls").Site("off"))
				}
			}
		}
	},
}

// checkProofs has what whoever makes an account is asked for, and what Synapse cannot ask.
func checkProofs(r *Reporter, s *deployment.Synapse, email source.Value) {
	if !s.Config.At("enable_registration").True() {
		return
	}
	if v := s.Config.At("registrations_require_3pid"); slices.Contains(deployment.ItemTexts(v), "email") && email.Len() == 0 {
		r.Fail("whoever makes an account has to prove an address, and Synapse has no mail server to ask by; nobody can register", "an email section, or remove email from registrations_require_3pid", v.Site(""))
	}
	for _, key := range []string{"recaptcha_public_key", "recaptcha_private_key"} {
		if on := s.Config.At("enable_registration_captcha"); on.True() && !s.Config.At(key).Set() && !s.Config.At(key+"_path").Set() {
			r.Fail(fmt.Sprintf("enable_registration_captcha is on, and there is no %s; nobody can register", key), key+": the key that reCAPTCHA gave out", on.Site(""))
			return
		}
	}
}

func checkSynapseSender(r *Reporter, s *deployment.Synapse, email source.Value) {
	from := email.At("notif_from")
	if _, err := mail.ParseAddress(from.Str()); !from.Set() {
		r.Fail("email has no notif_from; Synapse does not start", "notif_from: matrix@example.org", email.Site(""))
	} else if err != nil && !strings.Contains(from.Str(), "@") {
		r.Warn("email.notif_from is not an address; unless the mail server makes one of it, nothing is sent", "notif_from: matrix@example.org", from.Site(""))
	}
	if notifs := email.At("enable_notifs"); s.Delegates() && !notifs.True() {
		r.Warn("Synapse's email section sends nothing: notifications are off, and all other mails are MAS's, unless a module or account_validity sends some",
			"enable_notifs: true", notifs.Site(""))
	}
}

var smtpMode = Rule{
	ID: "smtp-mode", Severity: finding.Error,
	Summary: "Synapse and MAS speak with the mail server in the mode of its port",
	Why:     "No mail is ever sent: a port that begins with TLS waits for a handshake while the program waits for a greeting (\"Could not connect to the mail backend\", a timeout in Synapse), or the other way round.",
	Fix:     "Port 465 begins with TLS: force_tls: true for Synapse, mode: tls for MAS. 587 and 25 do not: require_transport_security: true, mode: starttls.",
	Source:  "RFC 8314; Synapse handlers/send_email.py; MAS crates/config/src/sections/email.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var clients []smtpClient
		for _, s := range d.Synapses {
			if email := s.Config.At("email"); email.At("smtp_host").Set() && !s.Partial() {
				c := smtpClient{"Synapse", email.At("smtp_host"), email.At("smtp_port"), email.At("force_tls"), email.At("force_tls").True(), "25", "force_tls: true", "force_tls: false"}
				if c.tls {
					c.standard = "465"
				}
				clients = append(clients, c)
			}
		}
		for _, m := range d.MASs {
			email := m.Config.At("email")
			mode := email.At("mode")
			port, ok := map[string]string{"tls": "465", "starttls": "587", "plain": "25"}[mode.Str()]
			if ok && email.At("transport").Str() == "smtp" && email.At("hostname").Set() && !m.ReadsMore() {
				clients = append(clients, smtpClient{"MAS", email.At("hostname"), email.At("port"), mode, port == "465", port, "mode: tls", "mode: starttls"})
			}
		}
		for _, c := range clients {
			if host := c.host.Str(); strings.ContainsAny(host, "/@ ") || strings.Count(host, ":") == 1 {
				r.Fail(fmt.Sprintf("%q is no name of a host; %s finds no mail server, and sends nothing", host, c.program), c.host.Name()+": the name alone, such as smtp.example.org", c.host.Site(""))
				continue
			}
			switch port := c.port(); {
			case port == "465" && !c.tls:
				r.Warn(c.program+" waits for a greeting at port 465, which begins with TLS, unless this mail server differs from all others; no mail is sent", c.on, c.mode.Site(""), c.at.Site("the port"))
			case (port == "587" || port == "25") && c.tls:
				r.Warn(fmt.Sprintf("%s begins with TLS at port %s, which begins without, unless this mail server differs from all others; no mail is sent", c.program, port), c.off, c.mode.Site(""), c.at.Site("the port"))
			}
		}
		for i, c := range clients {
			for _, o := range clients[:i] {
				if c.host.Str() == o.host.Str() && c.port() == o.port() && c.tls != o.tls {
					with, without := c, o
					if o.tls {
						with, without = o, c
					}
					r.Fail(fmt.Sprintf("%s begins with TLS at port %s of %s, and %s does not; one of the two can send no mail", with.program, c.port(), c.host.Str(), without.program),
						"the same mode for both", c.mode.Site(""), o.mode.Site(o.program))
				}
			}
		}
	},
}

// smtpClient is a program and the mail server that it is told of. tls is from the first byte; standard is the
// port of the mode, on and off turn tls on and off.
type smtpClient struct {
	program        string
	host, at, mode source.Value
	tls            bool
	standard       string
	on, off        string
}

func (c smtpClient) port() string {
	if c.at.Set() {
		return c.at.Str()
	}
	return c.standard
}
