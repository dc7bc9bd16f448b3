package finding

import "testing"

// A guess is made for a slip of the finger, and for nothing that is another word.
func TestNearest(t *testing.T) {
	keys := []string{"max_upload_size", "max_image_pixels", "max_spider_size", "enable_registration", "enable_metrics", "registration_requires_token", "turn_uris", "presence", "label", "report_stats", "allow_public_rooms_over_federation", "allow_public_rooms_without_auth"}
	for word, want := range map[string]string{
		"max_uplod_size": "max_upload_size", "maxUploadSize": "max_upload_size", "max-upload-size": "max_upload_size", "enable_registrations": "enable_registration", "registration_require_token": "registration_requires_token",
		"lable": "label", "presense": "presence", "turn_uri": "turn_uris", "TURN_URIS": "turn_uris", "report_stat": "report_stats", "mxa_image_pixels": "max_image_pixels",
		"min_image_pixels": "", "disable_registration": "", "deny_public_rooms_without_auth": "", "allow_private_rooms_over_federation": "", "max_image_bytes": "",
		"max_avatar_size": "", "enable_room_list": "", "max_event_size": "", "preference": "", "turn_user": "", "enable_tracing": "", "registration_disabled": "", "allow_public_rooms": "",
	} {
		if got := Nearest(word, keys); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
	if got := Nearest("user_b", []string{"user_a", "user_c"}); got != "" {
		t.Errorf("of two that are as near it is %q", got)
	}
}
