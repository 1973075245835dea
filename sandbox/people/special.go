package people

import "github.com/vneid-sandbox/vneid-sandbox/vneid"

// Special is what the last four digits of a number of the population ask for.
// docs/personas.md is written from the list.
type Special struct {
	Digits string
	Vi, En string

	account  func(*vneid.Account)
	register func(vneid.Persona) vneid.RegisterEntry // where the population database differs
}

// Specials are all of them. A meaning, once given, stays: tests of other
// people hard-code the numbers.
//
// The first two digits say which party it is about: 04 the population
// database, 14 the account, 29 level and permission, 39 the phone, 49 papers.
var Specials = []Special{
	{Digits: "0404", Vi: "Không có trong CSDL quốc gia về dân cư.", En: "In no population database.",
		register: func(vneid.Persona) vneid.RegisterEntry { return vneid.RegisterEntry{Absent: true} }},
	{Digits: "0409", Vi: "Tên trong CSDL quốc gia về dân cư khác.", En: "Another name in the population database.",
		register: func(p vneid.Persona) vneid.RegisterEntry { return vneid.RegisterEntry{Name: misspelt(p)} }},
	{Digits: "0410", Vi: "CSDL quốc gia về dân cư ghi là đã mất.", En: "Deceased in the population database.",
		register: func(vneid.Persona) vneid.RegisterEntry { return vneid.RegisterEntry{Deceased: true} }},
	{Digits: "0411", Vi: "Ngày sinh trong CSDL quốc gia về dân cư khác.", En: "Another date of birth in the population database.",
		register: func(p vneid.Persona) vneid.RegisterEntry { return vneid.RegisterEntry{Birthdate: otherDay(p)} }},
	{Digits: "1401", Vi: "Tài khoản bị khóa.", En: "Account locked.",
		account: func(a *vneid.Account) { a.Status = vneid.AccountLocked }},
	{Digits: "1402", Vi: "Tài khoản chưa được kích hoạt.", En: "Account not activated.",
		account: func(a *vneid.Account) { a.Status = vneid.AccountNotActivated }},
	{Digits: "2901", Vi: "Tài khoản mức 1: không bao giờ đăng nhập bằng QR.", En: "Level 1: never by QR.",
		account: func(a *vneid.Account) { a.AccountLevel = 1 }},
	{Digits: "2902", Vi: "Đã tắt \"Đăng nhập trên website\" trên điện thoại.", En: "\"Đăng nhập trên website\" is off (blocks QR only).",
		account: func(a *vneid.Account) { a.WebLogin = false }},
	{Digits: "2903", Vi: "Hồ sơ đầy đủ: luôn có e-mail và địa chỉ.", En: "Complete profile: e-mail and address for certain.",
		account: func(a *vneid.Account) { a.Email, a.Address = emailOf(&a.Persona), addressOf(a.CCCD) }},
	{Digits: "3901", Vi: "Tài khoản không có số điện thoại.", En: "No phone number on the account.",
		account: func(a *vneid.Account) { a.Phone = "" }},
	{Digits: "3902", Vi: "Tin nhắn SMS không bao giờ đến.", En: "SMS never arrives.",
		account: func(a *vneid.Account) { a.SMS = vneid.SMSNever }},
	{Digits: "3903", Vi: "Tin nhắn SMS đến sau 90 giây.", En: "SMS arrives after 90 s.",
		account: func(a *vneid.Account) { a.SMS = vneid.SMSLate }},
	{Digits: "4901", Vi: "Chỉ biết năm sinh; có số CMND cũ.", En: "Only the year of birth is known; has an old CMND.",
		account: func(a *vneid.Account) { a.Birthdate, a.CMND = a.Birthdate[:4], cmndOf(a.CCCD) }},
}

var specialByDigits = func() map[string]*Special {
	m := map[string]*Special{}
	for i := range Specials {
		m[Specials[i].Digits] = &Specials[i]
	}
	return m
}()

// specialOf is what is special about a number, nil = nothing.
func specialOf(c vneid.CCCD) *Special { return specialByDigits[string(c[8:])] }
