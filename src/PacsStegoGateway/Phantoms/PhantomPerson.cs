namespace PacsStegoGateway.Phantoms;

/// <summary>A person, a hospital and its staff that do not exist, drawn from the seed.</summary>
internal sealed record PhantomPerson
{
    private static readonly string[] Families = ["Grünwald", "Ångström", "Delacroix", "Östberg", "Fernández", "Kjærsgaard", "Whitcombe", "Björnsdóttir"];
    private static readonly string[] Women = ["Amélie", "Ragnhild", "Marguerite", "Åsa", "Concepción", "Philippa"];
    private static readonly string[] Men = ["Jörg", "François", "Torbjørn", "Íñigo", "Bartholomew", "Günther"];
    private static readonly string[] Middles = ["Solveig", "Quentin", "Theodora", "Ignatius", "Leopold"];
    private static readonly string[] Physicians = ["Vandermeer^Cornelia^^Dr.", "Okonjo-Blaine^Percival^^Prof.", "Szczepanski^Wiktor^^Dr.", "Haverkamp^Ottilie^^Dr.", "Lindqvist^Magnus^^Prof.", "Abernathy^Rosalind^^Dr."];
    private static readonly string[] Hospitals = ["Sankt Velarius Klinikum", "Northmere General Hospital", "Hôpital du Val d'Ambrenne"];
    private static readonly string[] Streets = ["Kastanjelaan 117", "Lower Quillfeather Road 8", "Rue des Glycines 42"];
    private static readonly string[] Towns = ["Velariusstadt", "Northmere", "Ambrenne-sur-Loue"];

    public required string Name { get; init; }

    public required string BirthName { get; init; }

    public required string PatientID { get; init; }

    public required string OtherPatientID { get; init; }

    public required string Issuer { get; init; }

    public required string BirthDate { get; init; }

    public required string Sex { get; init; }

    public required string Age { get; init; }

    public required string Address { get; init; }

    public required string Telephone { get; init; }

    public required string Hospital { get; init; }

    public required string HospitalAddress { get; init; }

    public required string Referring { get; init; }

    public required string Performing { get; init; }

    public required string Reading { get; init; }

    public required string Operator { get; init; }

    public required DateOnly StudyDate { get; init; }

    public static PhantomPerson Draw(int seed)
    {
        var random = new PhantomRandom(seed, "person");
        bool woman = random.Uniform() < 0.5;
        string family = random.Pick(Families);
        DateOnly born = new DateOnly(1938, 1, 1).AddDays((int)random.Uniform(0, 22_000));
        DateOnly study = new DateOnly(2024, 2, 1).AddDays((int)random.Uniform(0, 500));
        int town = (int)random.Uniform(0, Towns.Length);
        string id = random.Digits(8);
        return new PhantomPerson
        {
            Name = $"{family}^{random.Pick(woman ? Women : Men)}^{random.Pick(Middles)}",
            BirthName = $"{random.Pick(Families)}^{random.Pick(woman ? Women : Men)}",
            PatientID = $"PHA-{id}",
            OtherPatientID = $"INS/{random.Digits(10)}",
            Issuer = "VELARIUS-MPI",
            BirthDate = born.ToString("yyyyMMdd"),
            Sex = woman ? "F" : "M",
            Age = $"{study.Year - born.Year:D3}Y",
            Address = $"{random.Pick(Streets)}, {Towns[town]}",
            Telephone = $"+99 555 {random.Digits(6)}",
            Hospital = Hospitals[town],
            HospitalAddress = $"Asklepiosplatz {random.Digits(2)}, {Towns[town]}",
            Referring = random.Pick(Physicians),
            Performing = random.Pick(Physicians),
            Reading = random.Pick(Physicians),
            Operator = $"{random.Pick(Families)}^{random.Pick(Women)}",
            StudyDate = study,
        };
    }

    /// <summary>No values: even an invented person is not printed by accident.</summary>
    public override string ToString() => "[redacted]";
}
