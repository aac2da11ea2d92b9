using System.Net;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Security;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class ConfigurationTests
{
    private static readonly string Shipped = Path.Combine(SharedData.RepositoryRoot, "config", "gateway.json");

    [Fact]
    public void The_shipped_file_is_valid_and_holds_every_key_with_its_default()
    {
        GatewayOptions shipped = GatewayConfiguration.Load(Shipped, []);
        var defaults = new GatewayOptions();
        defaults.Listen.AETitles.Add("PSG");
        defaults.Pacs.AETitle = "ORTHANC";
        defaults.Pacs.Host = "localhost";
        defaults.Pacs.Port = 4242;
        GatewayConfiguration.Print(shipped).ShouldBe(GatewayConfiguration.Print(defaults));
        string text = File.ReadAllText(Shipped);
        foreach (string key in Keys(typeof(GatewayOptions)))
        {
            text.ShouldContain($"\"{key}\"");
        }
    }

    [Fact]
    public void All_problems_are_listed_at_once_with_their_path()
    {
        var e = Should.Throw<ConfigurationException>(() => GatewayConfiguration.Load(Shipped,
        [
            "--Listen:Port=seventy", "--Listen:MaxPduLength=12", "--Listen:Adress=::", "--Callers:0:AETitle=THIS_TITLE_IS_TOO_LONG",
            "--Callers:0:Addresses:0=10.0.0.0/99", "--Pacs:Host=", "--Pacs:Retrieve=fax", "--Spool:MaxObjectMegabytes=0",
            "--Database:Kind=postgresql", "--Database:ConnectionString=Host=h;Database=d;Password=s3cret", "--Work:RetryMaxSeconds=1",
            "--MoveDestinations:0:Port=0",
        ]));
        e.Problems.Select(static p => p.Path).ShouldBe(
        [
            "Listen:Port", "Listen:Adress", "Pacs:Retrieve",
            "Listen:MaxPduLength", "Callers:0:AETitle", "Callers:0:Roles", "Callers:0:Addresses:0",
            "MoveDestinations:0:AETitle", "MoveDestinations:0:Host", "MoveDestinations:0:Port",
            "Pacs:Host", "Spool:MaxObjectMegabytes", "Database:ConnectionString", "Work:RetryMaxSeconds",
        ], ignoreOrder: true);
        e.Message.ShouldNotContain("s3cret");
        e.Message.ShouldContain("Listen:Port");
    }

    [Fact]
    public void A_switch_wins_over_the_environment_and_that_over_the_file()
    {
        Environment.SetEnvironmentVariable("PSG__Listen__Port", "7001");
        Environment.SetEnvironmentVariable("PSG__Listen__AETitles", "ONE, TWO");
        try
        {
            GatewayConfiguration.Load(Shipped, []).Listen.Port.ShouldBe(7001);
            GatewayOptions options = GatewayConfiguration.Load(Shipped, ["--Listen:Port=7002", "--Callers:0:AETitle=CT1", "--Callers:0:Roles:0=modality"]);
            options.Listen.Port.ShouldBe(7002);
            options.Listen.AETitles.ShouldBe(["ONE", "TWO"]);
            options.Callers.ShouldHaveSingleItem().Roles.ShouldBe([Role.Modality]);
        }
        finally
        {
            Environment.SetEnvironmentVariable("PSG__Listen__Port", null);
            Environment.SetEnvironmentVariable("PSG__Listen__AETitles", null);
        }
    }

    [Fact]
    public void A_secret_is_never_printed()
    {
        var options = new GatewayOptions();
        options.Database.Password = "s3cret";
        string printed = GatewayConfiguration.Print(options);
        printed.ShouldNotContain("s3cret");
        printed.ShouldContain("(set)");
    }

    [Fact]
    public void A_gateway_that_forwards_to_itself_is_refused() =>
        Should.Throw<ConfigurationException>(() => GatewayConfiguration.Load(Shipped, ["--Pacs:AETitle=PSG", "--Pacs:Port=11112"]))
            .Problems.ShouldHaveSingleItem().Path.ShouldBe("Pacs");

    [Fact]
    public void A_file_that_is_not_there_or_no_JSON_is_one_problem_with_its_place_and_nothing_invented()
    {
        var problems = new List<ConfigurationProblem>();
        GatewayConfiguration.Read("/does/not/exist.json", [], problems).ShouldBeNull();
        problems.Count.ShouldBe(1);
        string broken = Path.GetTempFileName();
        File.WriteAllText(broken, "{\n  \"Listen\": x\n}");
        ConfigurationProblem problem = Should.Throw<ConfigurationException>(() => GatewayConfiguration.Load(broken, [])).Problems.ShouldHaveSingleItem();
        problem.Path.ShouldBe(broken);
        problem.Message.ShouldStartWith("is not JSON, at line 2, position 13: ");
        problem.Message.ShouldNotContain("LineNumber");
        File.Delete(broken);
    }

    [Theory]
    [InlineData("sha256:zz", false)]
    [InlineData("sha256:", false)]
    [InlineData("sha256:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF", true)]
    [InlineData("SHA256:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", true)]
    [InlineData("ct1.example.org", true)]
    public void A_certificate_of_a_caller_is_a_name_or_a_whole_fingerprint(string text, bool isRight)
    {
        var options = new GatewayOptions { Callers = [new CallerOptions { AETitle = "CT1", Certificates = [text] }] };
        GatewayOptionsValidator.Validate(options).Any(static p => p.Path == "Callers:0:Certificates:0").ShouldBe(!isRight);
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("10.1.0.0/16", "10.1.255.1", true)]
    [InlineData("10.1.0.0/16", "::ffff:10.1.2.3", true)]
    [InlineData("fd00::/8", "fd12::1", true)]
    [InlineData("fd00::/8", "10.1.2.3", false)]
    public void Address_ranges(string range, string address, bool contains)
    {
        AddressRange.TryParse(range, out AddressRange parsed).ShouldBeTrue();
        parsed.Contains(IPAddress.Parse(address)).ShouldBe(contains);
    }

    private static IEnumerable<string> Keys(Type type) => type.GetProperties()
        .Where(static p => p.CanWrite && !p.IsDefined(typeof(SecretAttribute), false))
        .SelectMany(static p => p.PropertyType.Namespace == typeof(GatewayOptions).Namespace && !p.PropertyType.IsEnum
            ? Keys(p.PropertyType).Prepend(p.Name)
            : [p.Name]);
}
