package check

import (
	"fmt"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var masCaptcha = Rule{
	ID: "mas-captcha", Severity: finding.Error,
	Summary: "the captcha of MAS has a service, a site key and a secret key",
	Why:     "Without a key MAS does not start (\"missing field `site_key`\", \"missing secret key\"). Without a service nobody is asked, and whoever filled in the keys believes otherwise.",
	Fix:     "Write the service and both keys that it gave out for the host of http.public_base: MAS refuses an answer that is for another host.",
	Source:  "MAS 1.26.0 crates/config/src/sections/captcha.rs, crates/cli/src/util.rs, crates/handlers/src/captcha.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			captcha := m.Config.At("captcha")
			service := captcha.At("service")
			if m.ReadsMore() {
				continue // the rest may stand in another file
			}
			for _, key := range []string{"site_key", "secret_key"} {
				v := captcha.At(key)
				switch site := either(v, captcha).Site(""); {
				case service.Set() && !v.Set():
					r.Fail(fmt.Sprintf("the captcha %s has no %s; MAS does not start", service.Str(), key), key+": the one of "+service.Str(), site)
				case v.Set() && !service.Set():
					r.Warn(fmt.Sprintf("there is a %s of a captcha, and no service of it: whoever makes an account is not asked", key), "service: recaptcha_v2, cloudflare_turnstile or hcaptcha", site)
					return
				}
			}
		}
	},
}

func either(v, otherwise source.Value) source.Value {
	if v.Exists() {
		return v
	}
	return otherwise
}
