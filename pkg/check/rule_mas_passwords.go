package check

import (
	"fmt"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var masPasswordSchemes = Rule{
	ID: "mas-password-schemes", Severity: finding.Error,
	Summary: "MAS has a way to hash passwords when users have some, each with a version of its own, and one secret at most for each",
	Why:     "MAS does not start: \"Requires at least one password scheme in the config\", \"Multiple password schemes have the same versions\", \"Cannot specify both `secret` and `secret_file`\". Each hash in its database names its scheme by the version: when one is missing, the login is a 500, \"Hashing scheme not found\".",
	Fix:     "Give each scheme a version of its own, the newest the highest, and never change or remove one that was in use.",
	Source:  "MAS crates/config/src/sections/passwords.rs, run with 1.22.0",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			passwords := m.Config.At("passwords")
			schemes := passwords.At("schemes")
			if deployment.IsFalse(passwords.At("enabled")) || m.ReadsMore() {
				continue // MAS does not look at them, or appends those of another file
			}
			if schemes.Kind() == source.Sequence && schemes.Len() == 0 {
				r.Fail("users have passwords, but the list of ways to hash them is empty; MAS does not start", "remove the line, for MAS's default", schemes.Site(""))
			}
			first := make(map[string]source.Value)
			for _, s := range schemes.Items() {
				v := s.At("version")
				if other, ok := first[v.Str()]; ok && v.Set() {
					r.Fail(fmt.Sprintf("two password schemes have the version %s; MAS does not start", v.Str()), "a version of its own for the newer one, never used before", v.Site(""), other.Site("the other"))
				}
				first[v.Str()] = v
				if a, b := s.At("secret"), s.At("secret_file"); a.Set() && b.Set() {
					r.Fail("a password scheme has both secret and secret_file; MAS does not start", "keep one of them", a.Site(""), b.Site("the other"))
				}
			}
		}
	},
}
