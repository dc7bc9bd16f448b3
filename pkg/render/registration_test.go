package render_test

import (
	"io/fs"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// Who may make an account is the same in what MAS or Synapse reads, in what RUNBOOK.md says, and in what it has commands for.
func TestRegistration(t *testing.T) {
	const (
		mas, own = "config/mas/config.yaml", "config/matrix/homeserver.yaml"
		mail     = "\nemail: {host: smtp.example.org, from: matrix@example.org}"
		captcha  = ", captcha: {service: hcaptcha, site_key: fake-site-key}"
	)
	for _, c := range []struct{ name, auth, more, file, want, book string }{
		{"by itself", "", "", mas, "account.password_registration_enabled=false account.password_registration_token_required=", "Nobody can register"},
		{"closed", "registration: closed", mail, mas, "account.password_registration_enabled=false account.password_recovery_enabled=true", "Nobody can register"},
		{"token", "registration: token", "", mas, "account.password_registration_enabled=true account.password_registration_token_required=true account.password_registration_email_required=false account.email_change_allowed=false", "issue-user-registration-token"},
		{"token of an older MAS", "registration: token, version: 1.8.0", "", mas, "account.registration_token_required=true account.password_registration_token_required=", "issue-user-registration-token"},
		{"token with email", "registration: token", mail, mas, "account.password_registration_enabled=true account.password_registration_token_required=true account.password_registration_email_required=", "issue-user-registration-token"},
		{"open", "registration: open-with-email", mail, mas, "account.password_registration_enabled=true account.password_registration_token_required= account.password_registration_email_required=", "Everybody who has an address"},
		{"captcha", "registration: open-with-email" + captcha, mail, mas, "captcha.service=hcaptcha captcha.site_key=fake-site-key captcha.secret_key=placeholder-captcha-secret-key", "Everybody who has an address"},
		{"Synapse closed", "kind: synapse", "", own, "enable_registration=false registration_requires_token=", "Nobody can register"},
		{"Synapse token", "kind: synapse, registration: token", "", own, "enable_registration=true registration_requires_token=true registrations_require_3pid[0]=", "registration_tokens/new"},
		{"Synapse token with email", "kind: synapse, registration: token", mail, own, "enable_registration=true registration_requires_token=true registrations_require_3pid[0]=email", "registration_tokens/new"},
		{"Synapse open", "kind: synapse, registration: open-with-email", mail, own, "enable_registration=true registration_requires_token= registrations_require_3pid[0]=email", "Everybody who has an address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := "version: 1\nserver_name: example.org\nauth: {passwords: true, " + c.auth + "}" + c.more + "\n"
			sp, findings := spec.Parse("stack.yaml", []byte(src))
			if sp == nil {
				t.Fatal(findings)
			}
			set := secret.Placeholders(render.Needs(sp))
			b, err := render.Render(sp, render.Resolve(sp, set, "/srv/matrix"), set.Get)
			if err != nil {
				t.Fatal(err)
			}
			read := func(name string) []byte {
				text, err := fs.ReadFile(b.FS(), name)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			f, problem := source.Parse(c.file, read(c.file))
			if problem != nil {
				t.Fatal(problem.Message)
			}
			for pair := range strings.FieldsSeq(c.want) {
				key, want, _ := strings.Cut(pair, "=")
				key, first := strings.CutSuffix(key, "[0]")
				v := f.At(strings.Split(key, ".")...)
				if first && len(v.Items()) > 0 {
					v = v.Items()[0]
				}
				if got := v.Str(); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
			_, users, _ := strings.Cut(string(read("RUNBOOK.md")), "\n## Users\n")
			users, _, _ = strings.Cut(users, "\n## ")
			if !strings.Contains(users, c.book) {
				t.Errorf("RUNBOOK.md, Users, has no %q:\n%s", c.book, users)
			}
		})
	}
}
