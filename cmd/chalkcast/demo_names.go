package main

// demoName is a student of the demo school.
type demoName struct{ given, family string }

// demoWells are the wells from which demo names are drawn: a school has names in more than one script, and a page
// that only ever saw "Jane Doe" breaks on the first real roster.
var demoWells = []struct {
	given, family []string
}{
	{
		given:  []string{"Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Lena", "Maximilian", "Nora", "Oskar", "Zoë", "Seán"},
		family: []string{"Müller", "O'Brien", "Łukaszewicz", "García Fernández", "Nguyễn", "van der Berg", "Ångström", "Smith", "Dupont", "Öztürk"},
	},
	{
		given:  []string{"Budi", "Siti", "Dewi", "Agus", "Nur Aisyah", "Rizky", "Putri", "Muhammad Haikal", "Intan", "Wayan"},
		family: []string{"Santoso", "Wijaya", "binti Abdullah", "bin Ismail", "Siregar", "Kusuma", "Pratama", "Hidayat"},
	},
	{
		given:  []string{"小明", "丽华", "雷", "梅", "子涵", "欣怡", "浩然", "思琪"},
		family: []string{"王", "李", "张", "刘", "陈", "欧阳", "赵", "黄"},
	},
	{
		given:  []string{"陽菜", "蓮", "結衣", "大翔", "さくら", "悠真", "美咲", "颯太"},
		family: []string{"佐藤", "鈴木", "高橋", "田中", "渡辺", "伊藤", "小林", "中村"},
	},
	{
		given:  []string{"محمد", "فاطمة", "يوسف", "مريم", "عمر", "ليلى", "خالد", "نور"},
		family: []string{"الخطيب", "حداد", "العلي", "منصور", "الشامي", "قاسم"},
	},
	{
		given:  []string{"Анна", "Иван", "Мария", "Дмитрий", "Олена", "Тарас", "Софія", "Николай"},
		family: []string{"Иванова", "Шевченко", "Петров", "Коваленко", "Кузнецова", "Бондаренко"},
	},
}

// demoNames returns n names, the same ones each time.
func demoNames(n int) []demoName {
	names := make([]demoName, n)
	for i := range names {
		well, k := demoWells[i%len(demoWells)], i/len(demoWells)
		// The counts of given and family names share factors; the division shifts one against the other when
		// they have all met once.
		names[i] = demoName{well.given[k%len(well.given)], well.family[(k+k/len(well.given))%len(well.family)]}
	}
	return names
}
