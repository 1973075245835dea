package fault

import (
	"strconv"
	"strings"
	"time"
)

// sectionC2 goes on with it.
var sectionC2 = []Fault{
	{
		ID: "C23", Name: "skew-small", Grade: Accept, Seam: SeamIDToken, Signals: mustBeTaken,
		Title:    Text{"Đồng hồ lệch một chút", "Clocks a little apart"},
		What:     Text{"Đồng hồ của nhà cung cấp nhanh hoặc chậm 30 giây.", "The provider's clock is 30 seconds ahead or behind."},
		Right:    Text{"Chấp nhận: đồng hồ thật không bao giờ bằng nhau.", "Accept it: real clocks never agree."},
		Spec:     []string{"RFC 7519 §4.1.4", "OIDC Core §3.1.3.7 (9)"},
		Variants: []Variant{{"ahead", Text{"nhanh 30 giây", "30 s ahead"}}, {"behind", Text{"chậm 30 giây", "30 s behind"}}},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			by := int64(30)
			if x.Variant == "behind" {
				by = -30
			}
			for _, name := range []string{"iat", "exp", "auth_time"} {
				t.Claims.Set(name, t.Claims.Number(name)+by)
			}
		}},
	},
	{
		ID: "C24", Name: "nonce-wrong", Grade: Must, Seam: SeamIDToken, Signals: unnoticed, Asks: []string{"nonce"},
		Title: Text{"nonce sai", "Wrong nonce"},
		What:  Text{"nonce không phải giá trị cổng đã gửi.", "nonce is not what the portal sent."},
		Right: Text{"So với nonce của phiên trình duyệt này; sai thì từ chối.", "Compare with the nonce of this browser's session; refuse when it differs."},
		Spec:  []string{"OIDC Core §3.1.3.7 (11)"},
		hooks: withNonce(func(_ *Exchange, t *JWT) { t.Claims.Set("nonce", "bm90LXRoZS1ub25jZS15b3Utc2VudA") }),
	},
	{
		ID: "C25", Name: "nonce-missing", Grade: Must, Seam: SeamIDToken, Signals: unnoticed, Asks: []string{"nonce"},
		Title: Text{"Không có nonce", "No nonce"},
		What:  Text{"Cổng đã gửi nonce, ID token không có.", "The portal sent a nonce, the ID token has none."},
		Right: Text{"Từ chối: thiếu cũng là sai.", "Refuse: missing is wrong, too."},
		Spec:  []string{"OIDC Core §3.1.3.7 (11)"},
		hooks: withNonce(func(_ *Exchange, t *JWT) { t.Claims.Delete("nonce") }),
	},
	{
		ID: "C26", Name: "nonce-replayed", Grade: Must, Seam: SeamIDToken, Signals: unnoticed, Asks: []string{"nonce"},
		Title: Text{"nonce của lần đăng nhập trước", "The nonce of an earlier sign-in"},
		What:  Text{"nonce là của lần đăng nhập trước của cùng người ở cùng cổng: một token bị phát lại.", "nonce is that of the same person's earlier sign-in at the same portal: a replayed token."},
		Right: Text{"nonce gắn với phiên và dùng một lần.", "A nonce is bound to its session and works once."},
		Spec:  []string{"OIDC Core §15.5.2"},
		hooks: withNonce(func(x *Exchange, t *JWT) {
			if earlier := x.earlierNonce(); earlier != "" {
				t.Claims.Set("nonce", earlier)
				return
			}
			x.Untouched()
		}),
	},
	{
		ID: "C27", Name: "nonce-unasked", Grade: Either, Seam: SeamIDToken, Signals: forPeople, Asks: []string{"no nonce"},
		Title: Text{"nonce không ai hỏi", "A nonce that nobody asked for"},
		What:  Text{"Cổng không gửi nonce, ID token lại có.", "The portal sent no nonce, the ID token has one."},
		Right: Text{"Bỏ qua hoặc từ chối; tốt hơn hết là luôn gửi nonce.", "Ignore or refuse it; better always send one."},
		Spec:  []string{"OIDC Core §2"},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			if t.Claims.Has("nonce") {
				x.Untouched()
				return
			}
			t.Claims.Set("nonce", "bm9ib2R5LWFza2VkLWZvci10aGlz")
		}},
	},
	{
		ID: "C28", Name: "at-hash-wrong", Grade: Either, Seam: SeamIDToken, Signals: forPeople,
		Title: Text{"at_hash sai", "Wrong at_hash"},
		What:  Text{"at_hash không thuộc về access token này.", "at_hash does not belong to this access token."},
		Right: Text{"Nên kiểm tra; trong luồng mã không bắt buộc.", "Better check it; the code flow does not demand it."},
		Spec:  []string{"OIDC Core §3.1.3.8"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA") }},
	},
	{
		ID: "C29", Name: "at-hash-missing", Grade: Accept, Seam: SeamIDToken, Signals: mustBeTaken,
		Title: Text{"Không có at_hash", "No at_hash"},
		What:  Text{"at_hash không có, như luồng mã cho phép.", "There is no at_hash, as the code flow allows."},
		Right: Text{"Chấp nhận.", "Accept it."},
		Spec:  []string{"OIDC Core §3.1.3.6"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Delete("at_hash") }},
	},
	{
		ID: "C31", Name: "acr-lower-than-asked", Grade: Must, Seam: SeamIDToken, Signals: forPeople, Asks: []string{"acr_values"},
		Title:     Text{"Mức xác thực thấp hơn yêu cầu", "A lower level of authentication than asked for"},
		What:      Text{"Cổng hỏi LoA2, nhận LoA1 (chỉ mật khẩu).", "The portal asked for LoA2 and gets LoA1 (a password alone)."},
		Right:     Text{"Không cho dùng dịch vụ cần mức cao; mời xác thực lại.", "No service that needs the higher level; ask to step up."},
		Spec:      []string{"OIDC Core §3.1.3.7 (12)", "OIDC Core §5.5.1.1"},
		Skippable: &Text{"acr_values chỉ là mong muốn (Core §3.1.2.1); chỉ claims với essential mới bắt buộc.", "acr_values is a wish (Core §3.1.2.1); only the claims parameter with essential demands it."},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			t.Claims.Set("acr", "LoA1")
			t.Claims.Set("amr", []string{"pwd"})
		}},
	},
	{
		ID: "C32", Name: "acr-missing", Grade: Must, Seam: SeamIDToken, Signals: forPeople, Asks: []string{"acr_values"},
		Title:     Text{"Không rõ mức xác thực", "An unknown level of authentication"},
		What:      Text{"acr không có, hoặc là một giá trị lạ.", "acr is absent, or a value nobody knows."},
		Right:     Text{"Coi như mức thấp nhất.", "Treat it as the lowest level."},
		Spec:      []string{"OIDC Core §2"},
		Skippable: &Text{"acr_values chỉ là mong muốn (Core §3.1.2.1); chỉ claims với essential mới bắt buộc.", "acr_values is a wish (Core §3.1.2.1); only the claims parameter with essential demands it."},
		Variants:  []Variant{{"missing", Text{"không có", "absent"}}, {"unknown", Text{"giá trị lạ", "an unknown value"}}},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			if x.Variant == "unknown" {
				t.Claims.Set("acr", "LoA97")
				return
			}
			t.Claims.Delete("acr")
		}},
	},
	{
		ID: "C33", Name: "amr-without-otp", Grade: Should, Seam: SeamIDToken, Signals: forPeople,
		Title: Text{"Chỉ mật khẩu", "A password alone"},
		What:  Text{"amr chỉ có pwd, không có bước thứ hai.", "amr says pwd only: there was no second step."},
		Right: Text{"Cổng quyết định dịch vụ nào chấp nhận điều đó.", "Which services take that is the portal's decision."},
		Spec:  []string{"RFC 8176 §2"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Claims.Set("amr", []string{"pwd"}) }},
	},
	{
		ID: "C34", Name: "auth-time-old", Grade: Must, Seam: SeamIDToken, Signals: unnoticed, Asks: []string{"max_age"},
		Title: Text{"Xác thực đã lâu", "Authenticated long ago"},
		What:  Text{"Cổng hỏi max_age, auth_time là hôm qua.", "The portal asked with max_age; auth_time is of yesterday."},
		Right: Text{"Yêu cầu xác thực lại.", "Ask to authenticate again."},
		Spec:  []string{"OIDC Core §3.1.3.7 (13)"},
		hooks: withMaxAge(func(x *Exchange, t *JWT) {
			t.Claims.Set("auth_time", x.Now().Add(-24*time.Hour-time.Duration(*x.Login.Request.MaxAge)*time.Second).Unix())
		}),
	},
	{
		ID: "C35", Name: "auth-time-missing", Grade: Must, Seam: SeamIDToken, Signals: unnoticed, Asks: []string{"max_age"},
		Title: Text{"Không có auth_time", "No auth_time"},
		What:  Text{"Cổng hỏi max_age, ID token không có auth_time.", "The portal asked with max_age; the ID token has no auth_time."},
		Right: Text{"Từ chối: khi hỏi max_age thì auth_time là bắt buộc.", "Refuse: with max_age auth_time is required."},
		Spec:  []string{"OIDC Core §2"},
		hooks: withMaxAge(func(_ *Exchange, t *JWT) { t.Claims.Delete("auth_time") }),
	},
	{
		ID: "C36", Name: "claims-wrong-types", Grade: Should, Seam: SeamUserinfo, Signals: withAPage,
		Title: Text{"Thông tin sai kiểu", "Claims of wrong types"},
		What:  Text{"birthdate là số, phone_number là mảng, gender là đối tượng.", "birthdate is a number, phone_number an array, gender an object."},
		Right: Text{"Không hỏng, không bỏ qua kiểm tra; báo thông tin thiếu.", "Do not crash and bypass no check; say what is missing."},
		Spec:  []string{"OIDC Core §5.1"},
		hooks: hooks{userinfo: func(_ *Exchange, o *Object) {
			o.Set("birthdate", 19900315)
			o.Set("phone_number", []string{"+84950000001"})
			o.Set("gender", map[string]string{"value": "male"})
		}},
	},
	{
		ID: "C37", Name: "claim-null", Grade: Must, Seam: SeamUserinfo, Signals: withAPage,
		Title:    Text{"Thông tin rỗng", "Empty claims"},
		What:     Text{"cccd và name là null, rỗng, hoặc không có.", "cccd and name are null, empty, or absent."},
		Right:    Text{"Không liên kết bằng giá trị rỗng; giải thích thiếu gì.", "Link nothing by an empty value; explain what is lacking."},
		Spec:     []string{"OIDC Core §5.3.2"},
		Variants: []Variant{{"null", Text{"null", "JSON null"}}, {"empty", Text{"chuỗi rỗng", "an empty string"}}, {"absent", Text{"không có", "absent"}}},
		hooks: bothClaims2(func(x *Exchange, o *Object) {
			for _, name := range []string{"cccd", "name"} {
				switch x.Variant {
				case "absent":
					o.Delete(name)
				case "empty":
					replace(o, name, "")
				default:
					replace(o, name, nil)
				}
			}
		}),
	},
	{
		ID: "C38", Name: "header-claims", Grade: Must, Seam: SeamJOSE, Signals: unnoticed,
		Title: Text{"Thông tin nằm trong tiêu đề JOSE", "Claims in the JOSE header"},
		What:  Text{"iss và sub nằm trong tiêu đề, không nằm trong nội dung.", "iss and sub stand in the header and not in the payload."},
		Right: Text{"Chỉ đọc thông tin từ nội dung đã ký; thiếu thì từ chối.", "Read claims from the payload alone; refuse what lacks them."},
		Spec:  []string{"RFC 7519 §5.3"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			for _, name := range []string{"iss", "sub"} {
				t.Header.Set(name, t.Claims.String(name))
				t.Claims.Delete(name)
			}
		}},
	},
	{
		ID: "C39", Name: "token-in-token", Grade: Must, Seam: SeamToken, Signals: unnoticed,
		Title:    Text{"Nhầm loại token", "One kind of token for another"},
		What:     Text{"Access token đứng ở chỗ của ID token, hoặc ID token ở chỗ của access token.", "The access token stands where the ID token belongs, or the other way round."},
		Right:    Text{"Kiểm tra từng loại theo luật của nó.", "Check each kind by its own rules."},
		Spec:     []string{"RFC 8725 §3.11", "RFC 8725 §3.12"},
		Variants: []Variant{{"access-as-id", Text{"access token thay ID token", "access token as ID token"}}, {"at-jwt", Text{"ID token mang typ at+jwt", "ID token with typ at+jwt and no nonce"}}},
		hooks: hooks{
			idToken: func(x *Exchange, t *JWT) {
				if x.Variant != "at-jwt" {
					x.Untouched()
					return
				}
				t.Header.Set("typ", "at+jwt")
				t.Claims.Delete("nonce")
				t.Claims.Set("client_id", t.Claims.String("aud"))
				t.Claims.Set("aud", t.Claims.String("iss"))
				t.Claims.Set("scope", "openid")
			},
			token: func(x *Exchange, o *Object) {
				if x.Variant != "at-jwt" {
					x.silent = false
					o.Set("id_token", o.String("access_token"))
				}
			},
		},
	},
	{
		ID: "C40", Name: "huge-token", Grade: Should, Seam: SeamIDToken, Signals: withAPage,
		Title:    Text{"ID token khổng lồ", "A huge ID token"},
		What:     Text{"Token 200 kB, hoặc có 5000 thông tin; chữ ký đúng.", "A token of 200 kB, or with 5,000 claims; the signature is right."},
		Right:    Text{"Giới hạn kích thước; không nhét token vào cookie.", "Bound its size; put no token into a cookie."},
		Spec:     []string{"CWE-770"},
		Variants: []Variant{{"long", Text{"một chuỗi 200 kB", "one string of 200 kB"}}, {"many", Text{"5000 thông tin", "5,000 claims"}}},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			if x.Variant != "many" {
				t.Claims.Set("padding", strings.Repeat("x", 150<<10)) // as base64: 200 kB
				return
			}
			for i := range 5000 {
				t.Claims.members = append(t.Claims.members, member{"claim_" + strings.Repeat("x", i%7) + strconv.Itoa(i), encode(i)})
			}
			t.Claims.changed = true
		}},
	},
	{
		ID: "C41", Name: "deep-json", Grade: Should, Seam: SeamIDToken, Signals: withAPage,
		Title: Text{"JSON lồng rất sâu", "JSON nested very deep"},
		What:  Text{"Một thông tin lồng 10 000 mảng vào nhau.", "A claim of 10,000 arrays within each other."},
		Right: Text{"Bộ đọc JSON có giới hạn độ sâu; không tràn ngăn xếp.", "A JSON reader with a bound; no overflow of the stack."},
		Spec:  []string{"CWE-674"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			t.Claims.SetRaw("deep", []byte(strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)))
		}},
	},
}
