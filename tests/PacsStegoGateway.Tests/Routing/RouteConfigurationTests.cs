using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Tests.Routing;

public sealed class RouteConfigurationTests
{
    private static readonly string Shipped = Path.Combine(SharedData.RepositoryRoot, "config", "gateway.json");

    [Fact]
    public void Destinations_and_rules_are_read_from_a_file()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, """
            {
              "Callers": [ { "AETitle": "CT1", "Roles": [ "modality" ] } ],
              "Pacs": { "AETitle": "PACS", "Host": "h", "Port": 104 },
              "Destinations": [
                { "AETitle": "ARCHIVE", "Host": "h", "Port": 105, "Hours": "19:00-06:00", "MaxMegabitsPerSecond": 50 },
                { "Name": "CLOUD", "Kind": "stow", "Url": "https://h/dicom-web" }
              ],
              "Routes": [
                { "Name": "trial", "CallingAETitles": [ "CT?" ], "Tags": { "StudyDescription": "*TRIAL*", "00280010": "512" }, "Destinations": [ "CLOUD", "ARCHIVE" ] },
                { "Name": "rest", "Destinations": [ "PACS" ] }
              ]
            }
            """);
        try
        {
            GatewayOptions options = GatewayConfiguration.Load(file, ["--Destinations:1:BearerToken=s3cret"]);
            options.Destinations.Select(static d => d.KnownAs).ShouldBe(["ARCHIVE", "CLOUD"]);
            options.Destinations[1].IsSecure.ShouldBeTrue();
            options.Routes[0].Tags.ShouldBe(new Dictionary<string, string> { ["StudyDescription"] = "*TRIAL*", ["00280010"] = "512" }, ignoreOrder: true);
            string printed = GatewayConfiguration.Print(options);
            printed.ShouldNotContain("s3cret");
            printed.ShouldContain("*TRIAL*");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Destinations:0:Hours", "Destinations:0:Hours=25:00-06:00")]
    [InlineData("Destinations:0:Hours", "Destinations:0:Hours=06:00-06:00")]
    [InlineData("Destinations:0:Hours", "Destinations:0:Hours=6-7")]
    [InlineData("Destinations:0:Hours", "Destinations:0:Hours=night")]
    [InlineData("Destinations:0:Associations", "Destinations:0:Associations=9")]
    [InlineData("Destinations:0:MaxMegabitsPerSecond", "Destinations:0:MaxMegabitsPerSecond=-1")]
    [InlineData("Destinations:0:Name", "Destinations:0:Name=a,b")]
    [InlineData("Destinations:0:Url", "Destinations:0:Url=http://h")]
    [InlineData("Destinations:0:Kind", "Destinations:0:Kind=fax")]
    [InlineData("Destinations:0:Host", "Destinations:0:Host=")]
    [InlineData("Destinations:0", "Destinations:0:Host=localhost", "Destinations:0:AETitle=PSG", "Destinations:0:Port=11112")]
    [InlineData("Destinations", "Destinations:0:Name=orthanc")]
    [InlineData("Pacs:Kind", "Pacs:Kind=stow")]
    [InlineData("Destinations:1:Url", "Destinations:1:Name=W", "Destinations:1:Kind=stow", "Destinations:1:Url=pacs.example.org")]
    [InlineData("Destinations:1:Url", "Destinations:1:Name=W", "Destinations:1:Kind=stow", "Destinations:1:Url=ftp://h/")]
    [InlineData("Destinations:1:Url", "Destinations:1:Name=W", "Destinations:1:Kind=stow", "Destinations:1:Url=https://user:word@h/")]
    [InlineData("Destinations:1:Url", "Destinations:1:Name=W", "Destinations:1:Kind=stow", "Destinations:1:Url=http://h/", "Destinations:1:Tls:Enabled=true")]
    [InlineData("Destinations:1:Url", "Destinations:1:Name=W", "Destinations:1:Kind=stow", "Destinations:1:Url=http://h/", "Destinations:1:BearerToken=t")]
    [InlineData("Destinations:1:Name", "Destinations:1:Kind=stow", "Destinations:1:Url=https://h/")]
    [InlineData("Destinations:1:BearerToken", "Destinations:1:Name=W", "Destinations:1:Kind=stow", "Destinations:1:Url=https://h/", "Destinations:1:BearerToken=a b")]
    [InlineData("Destinations:1:UserName", "Destinations:1:Name=W", "Destinations:1:Kind=stow", "Destinations:1:Url=https://h/", "Destinations:1:UserName=a:b")]
    [InlineData("Destinations:1:StorageCommitment", "Destinations:1:Name=W", "Destinations:1:Kind=stow", "Destinations:1:Url=https://h/", "Destinations:1:StorageCommitment=true")]
    [InlineData("Routes:0:Destinations:0", "Routes:0:Destinations:0=NOWHERE")]
    [InlineData("Routes:0:Destinations:1", "Routes:0:Destinations:1=ORTHANC")]
    [InlineData("Routes:0:Destinations", "Routes:0:Refuse=true")]
    [InlineData("Routes:0:Profile", "Routes:0:Profile=none")]
    [InlineData("Routes:0:Name", "Routes:0:Name=")]
    [InlineData("Routes:0:Modalities:0", "Routes:0:Modalities:0=ct")]
    [InlineData("Routes:0:CalledAETitles:0", "Routes:0:CalledAETitles:0=UNKNOWN")]
    [InlineData("Routes:0:CallingAETitles:0", "Routes:0:CallingAETitles:0=MR*")]
    [InlineData("Routes:0:Tags:Modalty", "Routes:0:Tags:Modalty=CT")]
    [InlineData("Routes:0:Tags:PixelData", "Routes:0:Tags:PixelData=CT")]
    [InlineData("Routes:0:Tags:Rows", "Routes:0:Tags:Rows=")]
    [InlineData("Routes:1:Destinations", "Routes:0:Modalities:0=CT", "Routes:1:Name=two")]
    [InlineData("Routes:1", "Routes:1:Name=two", "Routes:1:Destinations:0=A")]
    [InlineData("Routes", "Routes:0:Modalities:0=CT", "Routes:1:Name=one", "Routes:1:Destinations:0=A")]
    public void Each_slip_is_said_at_its_key(string path, params string[] slips)
    {
        string[] right =
        [
            "Callers:0:AETitle=CT1", "Callers:0:Roles:0=modality", "Destinations:0:AETitle=A", "Destinations:0:Host=h",
            "Routes:0:Name=one", "Routes:0:Destinations:0=ORTHANC",
        ];
        GatewayConfiguration.Load(Shipped, Switches(right)).Routes.ShouldHaveSingleItem();
        Should.Throw<ConfigurationException>(() => GatewayConfiguration.Load(Shipped, Switches([.. right, .. slips])))
            .Problems.ShouldHaveSingleItem().Path.ShouldBe(path);
    }

    [Fact]
    public void Problems_of_destinations_and_rules_are_listed_together() =>
        Should.Throw<ConfigurationException>(() => GatewayConfiguration.Load(Shipped, Switches(
            ["Destinations:0:Kind=stow", "Destinations:0:Hours=x", "Routes:0:Destinations:0=Y", "Routes:0:Tags:Zzz=1"])))
            .Problems.Select(static p => p.Path).ShouldBe(
                ["Destinations:0:Hours", "Destinations:0:Name", "Destinations:0:Url", "Routes:0:Name", "Routes:0:Tags:Zzz", "Routes:0:Destinations:0"], ignoreOrder: true);

    private static string[] Switches(IEnumerable<string> settings) => [.. settings.Select(static s => "--" + s)];
}
