package fault

import "strings"

func init() { parts = append(parts, sectionC) }

// sectionC: wrong claims in an ID token that is right in every other way, signed
// by the right key.
var sectionC = []Fault{
	{
		ID: "C01", Name: "iss-wrong", Grade: Must, Seam: SeamIDToken, Signals: []Signal{NoUserinfoCall, NoSession},
		Title: Text{"iss là một nhà cung cấp khác", "iss names another provider"},
		What:  Text{"ID token mang iss của một máy chủ khác, chữ ký vẫn đúng.", "The ID token carries the iss of another server; its signature is right."},
		Right: Text{"So sánh iss từng byte với issuer đã cấu hình, sai thì từ chối đăng nhập.", "Compare iss byte by byte with the configured issuer; refuse the sign-in when it differs."},
		Spec:  []string{"OIDC Core §3.1.3.7 (2)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("iss", "https://other-issuer.test") }},
	},
	{
		ID: "C02", Name: "iss-nearly", Grade: Must, Seam: SeamIDToken, Signals: []Signal{NoUserinfoCall, NoSession},
		Title: Text{"iss gần giống", "iss nearly equal"},
		What:  Text{"iss chỉ khác issuer thật ở một chi tiết nhỏ.", "iss differs from the real issuer in one small detail."},
		Right: Text{"So sánh chính xác, không chuẩn hoá URL trước khi so.", "Compare exactly, without normalising URLs first."},
		Spec:  []string{"OIDC Core §3.1.3.7 (2)", "OIDC Discovery §4.3"},
		Variants: []Variant{
			{"trailing-slash", Text{"thêm dấu / ở cuối", "a slash at the end"}},
			{"case", Text{"chữ hoa trong tên máy (hoặc trong scheme)", "upper case in the host, or the scheme"}},
			{"scheme", Text{"http thay cho https hoặc ngược lại", "http for https, or the other way round"}},
			{"port", Text{"cổng khác", "another port"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) { t.Claims.Set("iss", nearly(t.Claims.String("iss"), x.Variant)) }},
	},
}

// nearly is an issuer that looks like another.
func nearly(issuer, variant string) string {
	scheme, rest, _ := strings.Cut(issuer, "://")
	host, path, _ := strings.Cut(rest, "/")
	if path != "" {
		path = "/" + path
	}
	switch variant {
	case "case":
		if upper := strings.ToUpper(host); upper != host {
			return scheme + "://" + upper + path
		}
		return strings.ToUpper(scheme) + "://" + rest // an address has no letters
	case "scheme":
		if scheme == "http" {
			return "https://" + rest
		}
		return "http://" + rest
	case "port":
		name, port, _ := strings.Cut(host, ":")
		if port == "8443" {
			return scheme + "://" + name + ":8444" + path
		}
		return scheme + "://" + name + ":8443" + path
	}
	return issuer + "/"
}
