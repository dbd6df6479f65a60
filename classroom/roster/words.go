package roster

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// headings says what a heading means, by its letters and digits alone. A word that is a family name in one language
// and a whole name in another (名字), or that mostly numbers the rows (No.), is not here.
var headings = index(map[string]string{
	"email": "email e-mail mail email-address mail-address 邮箱 电子邮件 电子邮箱 邮箱地址 メール メールアドレス Eメール 電子メール " +
		"surel alamat-surel alamat-email emel alamat-emel e-mel",
	"given_name":  "given-name first-name forename given first 名 下の名前 nama-depan nama-pertama nama-diberi",
	"family_name": "family-name last-name surname family last 姓 姓氏 苗字 nama-belakang nama-keluarga nama-akhir",
	"name": "name full-name display-name student-name 姓名 学生姓名 氏名 名前 お名前 生徒氏名 nama nama-lengkap nama-penuh " +
		"nama-siswa nama-pelajar nama-murid",
	"student_id": "student-id student-no student-number id number 学号 学籍号 学籍番号 生徒番号 学生番号 nis nisn nim nomor-induk " +
		"nomor-induk-siswa nomor-siswa id-siswa no-pelajar id-pelajar nombor-pelajar nombor-matrik no-matrik",
	"group": "group section class 组 分组 小组 班 班级 組 グループ クラス kelompok grup kelas kumpulan",
	"role":  "role 角色 身份 役割 ロール peran peranan",
})

var roles = index(map[string]string{
	"teacher":   "teacher instructor 老师 教师 教師 教員 先生 guru pengajar cikgu",
	"assistant": "assistant ta teaching-assistant 助教 アシスタント asisten pembantu penolong",
	"student":   "student pupil learner 学生 学员 生徒 siswa murid pelajar mahasiswa",
	"admin":     "admin administrator 管理员 管理者 pentadbir",
})

// RoleOf returns what a cell says somebody is: teacher, assistant, student, or admin, which no roster makes anybody;
// "" for any other word.
func RoleOf(cell string) string { return roles[plain(cell)] }

func index(words map[string]string) map[string]string {
	m := map[string]string{}
	for means, list := range words {
		m[plain(means)] = means
		for _, word := range strings.Fields(list) {
			m[plain(word)] = means
		}
	}
	return m
}

// plain is a word without what people write differently: case, width, spaces and signs.
func plain(s string) string {
	if len(s) > MaxCell {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(s))
}
