package fault

import (
	"net/http"
	"strings"
	"time"
)

func init() { parts = append(parts, sectionF) }

// sectionF: UserInfo.
var sectionF = []Fault{
	{
		ID: "F01", Name: "userinfo-sub-mismatch", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{NoSession},
		Title: Text{"UserInfo của người khác", "UserInfo of somebody else"},
		What:  Text{"UserInfo trả về sub khác với sub trong ID token.", "UserInfo carries another sub than the ID token."},
		Right: Text{"So sánh hai sub; khác nhau thì không dùng dữ liệu UserInfo và không đăng nhập.", "Compare the two; when they differ use nothing of it and sign nobody in."},
		Spec:  []string{"OIDC Core §5.3.2"},
		hooks: hooks{userinfo: func(_ *Exchange, o *Object) { o.Set("sub", "somebody-else-0123456789") }},
	},
	{
		ID: "F02", Name: "userinfo-sub-missing", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{NoSession},
		Title: Text{"UserInfo không có sub", "UserInfo without sub"},
		What:  Text{"UserInfo thiếu sub, không biết dữ liệu là của ai.", "UserInfo lacks sub: whose data are these?"},
		Right: Text{"Từ chối: sub là bắt buộc trong UserInfo.", "Refuse: sub is required in UserInfo."},
		Spec:  []string{"OIDC Core §5.3.2"},
		hooks: hooks{userinfo: func(_ *Exchange, o *Object) { o.Delete("sub") }},
	},
	{
		ID: "F03", Name: "userinfo-sub-array", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{NoSession},
		Title: Text{"sub của UserInfo sai kiểu hoặc lặp lại", "UserInfo's sub of a wrong type, or twice"},
		What:  Text{"sub là một mảng có chứa giá trị đúng, hoặc có hai sub khác nhau.", "sub is an array that holds the right value, or there are two different ones."},
		Right: Text{"Chỉ nhận sub là một chuỗi; bất thường thì từ chối.", "Take sub only as one string; refuse anything else."},
		Spec:  []string{"OIDC Core §5.1", "OIDC Core §5.3.2"},
		Variants: []Variant{
			{"array", Text{"mảng hai giá trị", "an array of two"}},
			{"twice", Text{"hai thành viên sub, giá trị sai đứng sau", "two members, the wrong one last"}},
			{"object", Text{"một đối tượng", "an object"}},
		},
		hooks: hooks{userinfo: func(x *Exchange, o *Object) {
			switch x.Variant {
			case "twice":
				o.Add("sub", "somebody-else-0123456789")
			case "object":
				o.Set("sub", map[string]string{"value": o.String("sub")})
			default:
				o.Set("sub", []string{o.String("sub"), "somebody-else-0123456789"})
			}
		}},
	},
	{
		ID: "F04", Name: "userinfo-401-invalid-token", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"UserInfo từ chối access token", "UserInfo refuses the access token"},
		What:  Text{"401 kèm WWW-Authenticate: invalid_token ngay sau khi nhận token.", "401 with WWW-Authenticate: invalid_token, right after the token was given out."},
		Right: Text{"Không đăng nhập với dữ liệu thiếu; báo lỗi và cho đăng nhập lại.", "No sign-in with half the data; say so and offer to sign in again."},
		Spec:  []string{"RFC 6750 §3.1"},
		hooks: hooks{on: []Kind{Userinfo}, response: func(x *Exchange) {
			oauthRefusal(x, http.StatusUnauthorized, "invalid_token", "the access token expired")
		}},
		Skippable: &Text{"Cổng chỉ dùng ID token vẫn có thể đăng nhập (Core §5.3 không bắt buộc gọi UserInfo).", "A portal that needs the ID token alone may still sign in (Core §5.3 does not demand UserInfo)."},
	},
	{
		ID: "F05", Name: "userinfo-403-insufficient-scope", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"UserInfo thiếu quyền", "UserInfo lacks scope"},
		What:  Text{"Trả 403 insufficient_scope.", "It answers 403 insufficient_scope."},
		Right: Text{"Giải thích thiếu quyền gì; không đăng nhập với dữ liệu thiếu.", "Explain what is lacking; no sign-in with half the data."},
		Spec:  []string{"RFC 6750 §3.1"},
		hooks: hooks{on: []Kind{Userinfo}, response: func(x *Exchange) {
			oauthRefusal(x, http.StatusForbidden, "insufficient_scope", "more is needed")
		}},
		Skippable: &Text{"Cổng chỉ dùng ID token vẫn có thể đăng nhập (Core §5.3 không bắt buộc gọi UserInfo).", "A portal that needs the ID token alone may still sign in (Core §5.3 does not demand UserInfo)."},
	},
	{
		ID: "F06", Name: "userinfo-5xx", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{NoRetry},
		Title: Text{"UserInfo hỏng", "UserInfo is broken"},
		What:  Text{"UserInfo trả lỗi máy chủ dạng HTML, hoặc rất lâu mới trả lời.", "UserInfo answers with an HTML server error, or very late."},
		Right: Text{"Có thời hạn chờ; báo lỗi thân thiện hoặc tiếp tục với ít dữ liệu hơn, không treo.", "Have a time limit; a friendly page, or go on with less. Never hang."},
		Spec:  []string{"RFC 9110 §15.6", "CWE-400"},
		Variants: []Variant{
			{"500", Text{"lỗi 500", "status 500"}}, {"502", Text{"lỗi 502", "status 502"}}, {"503", Text{"lỗi 503", "status 503"}},
			{"35s", Text{"trả lời sau 35 giây", "answers after 35 seconds"}},
		},
		hooks: hooks{on: []Kind{Userinfo}, response: func(x *Exchange) {
			if x.Variant == "35s" {
				x.Answer.Delay = 35 * time.Second
				return
			}
			x.Reply(map[string]int{"500": 500, "502": 502, "503": 503}[x.Variant], htmlType, brokenPage)
		}},
	},
	{
		ID: "F07", Name: "userinfo-unsigned", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{NoSession}, Asks: []string{"userinfo_signed_response_alg"},
		Title: Text{"UserInfo không được ký dù đã đăng ký", "UserInfo unsigned though signed was registered"},
		What:  Text{"Trả JSON thường thay cho JWT đã đăng ký.", "Plain JSON instead of the registered JWT."},
		Right: Text{"Chỉ nhận application/jwt đã ký như đã đăng ký.", "Take nothing but the signed JWT that was registered."},
		Spec:  []string{"OIDC Core §5.3.4"},
		hooks: hooks{on: []Kind{Userinfo}, response: func(x *Exchange) {
			t := x.signedUserinfo()
			if t == nil {
				return
			}
			for _, name := range []string{"iss", "aud", "iat", "exp"} {
				t.Claims.Delete(name)
			}
			x.Answer.Body = t.Claims.Bytes()
			x.Answer.Header.Set("Content-Type", "application/json")
		}},
	},
	{
		ID: "F08", Name: "userinfo-jwt-wrong", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{NoSession}, Asks: []string{"userinfo_signed_response_alg"},
		Title: Text{"UserInfo ký nhưng sai", "Signed UserInfo that is wrong"},
		What:  Text{"JWT của UserInfo có iss, aud hoặc chữ ký sai.", "The JWT has a wrong iss, aud or signature."},
		Right: Text{"Kiểm tra chữ ký, iss và aud như với ID token.", "Check signature, iss and aud as for an ID token."},
		Spec:  []string{"OIDC Core §5.3.4"},
		Variants: []Variant{
			{"iss", Text{"iss khác", "another iss"}}, {"aud", Text{"aud khác", "another aud"}},
			{"alg-none", Text{"không ký (alg none)", "not signed (alg none)"}}, {"foreign-key", Text{"ký bằng khóa lạ", "signed by a foreign key"}},
		},
		hooks: hooks{on: []Kind{Userinfo}, response: func(x *Exchange) {
			t := x.signedUserinfo()
			if t == nil {
				return
			}
			switch x.Variant {
			case "aud":
				t.Claims.Set("aud", "another-client")
			case "alg-none":
				t.Header.Set("alg", "none")
				t.Header.Delete("kid")
				t.Sign = func([]byte) []byte { return nil }
			case "foreign-key":
				t.Header.Set("alg", "RS256")
				t.Sign = signForeign
			default:
				t.Claims.Set("iss", "https://other-issuer.test")
			}
			text, err := t.compact(x.Ctx())
			if x.engine.must(x, err); err == nil {
				x.Answer.Body = []byte(text)
			}
		}},
	},
	{
		ID: "F09", Name: "userinfo-differs-from-id-token", Grade: Should, Seam: SeamUserinfo, Signals: []Signal{Human},
		Title: Text{"UserInfo và ID token nói khác nhau", "UserInfo and ID token disagree"},
		What:  Text{"Cùng sub, nhưng họ tên và số CCCD trong UserInfo là của người khác.", "The same sub, but name and CCCD are somebody else's."},
		Right: Text{"Chọn một nguồn cho mỗi thông tin; khác với hồ sơ đã liên kết thì cảnh báo, không tự ghi đè.", "Have one source for each claim; where it differs from the linked record, say so and overwrite nothing by itself."},
		Spec:  []string{"OIDC Core §5.3.2"},
		hooks: hooks{userinfo: func(x *Exchange, o *Object) {
			o.Set("name", "Người Khác Hẳn")
			if o.Has("cccd") {
				o.Set("cccd", "038090000999")
			}
		}},
	},
	{
		ID: "F10", Name: "userinfo-content-type-wrong", Grade: Either, Seam: SeamUserinfo, Signals: []Signal{Human},
		Title: Text{"UserInfo mang kiểu nội dung sai", "UserInfo with a wrong content type"},
		What:  Text{"JSON đúng nhưng Content-Type: text/plain.", "Right JSON as Content-Type: text/plain."},
		Right: Text{"Từ chối hoặc chấp nhận; ghi lại lựa chọn.", "Refuse or take it; know which."},
		Spec:  []string{"OIDC Core §5.3.2"},
		hooks: hooks{on: []Kind{Userinfo}, response: func(x *Exchange) { x.Answer.Header.Set("Content-Type", "text/plain; charset=utf-8") }},
	},
	{
		ID: "F11", Name: "userinfo-extra-privileges", Grade: Must, Seam: SeamUserinfo, Signals: []Signal{Human},
		Title: Text{"UserInfo mang thêm quyền", "UserInfo with extra privileges"},
		What:  Text{"Thêm role, is_admin, permissions, groups mà không ai hỏi.", "role, is_admin, permissions and groups that nobody asked for."},
		Right: Text{"Bỏ qua mọi thông tin không biết; quyền trong cổng do cổng quyết định.", "Ignore unknown claims; what somebody may do at the portal is the portal's decision."},
		Spec:  []string{"OIDC Core §5.1.2", "CWE-915"},
		hooks: hooks{userinfo: func(_ *Exchange, o *Object) {
			o.Set("role", "admin")
			o.Set("is_admin", true)
			o.Set("permissions", []string{"*"})
			o.Set("groups", []string{"administrators", "can-bo"})
		}},
	},
}

const htmlType = "text/html; charset=utf-8"

// brokenPage is what a proxy before a broken server answers.
const brokenPage = `<!doctype html><html lang="vi"><title>Lỗi / Error</title><body><p>MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT</p><h1>Máy chủ đang gặp sự cố</h1><p>The server is broken.</p></body></html>`

// oauthRefusal answers as RFC 6750 §3 does.
func oauthRefusal(x *Exchange, status int, code, text string) {
	x.Reply(status, "application/json", `{"error":"`+code+`","error_description":"`+text+`"}`)
	x.Answer.Header.Set("WWW-Authenticate", `Bearer error="`+code+`", error_description="`+text+`"`)
}

// signedUserinfo is the JWT of a signed answer, taken apart. When there is none
// the fault leaves the message alone.
func (x *Exchange) signedUserinfo() *JWT {
	if x.Answer.Status == http.StatusOK && strings.HasPrefix(x.Answer.Header.Get("Content-Type"), "application/jwt") {
		if t, err := x.engine.parseJWT(string(x.Answer.Body)); err == nil {
			return t
		}
	}
	x.Untouched()
	return nil
}
