using PacsStegoGateway.Configuration;
using PacsStegoGateway.Security;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class ConfigurationDifferenceTests
{
    [Fact]
    public void Items_of_lists_are_known_by_their_names_so_that_another_place_is_no_difference()
    {
        GatewayOptions one = Callers("A", "B"), two = Callers("B", "A");
        ConfigurationDifference.Between(one, two).ShouldBeEmpty();
        two.Callers[0].Addresses = ["10.0.0.1"];
        ConfigurationDifference.Between(one, two).ShouldBe([new ConfigurationDifference("Callers[B]:Addresses", true, "", "10.0.0.1")]);
        two.Callers.RemoveAt(0);
        ConfigurationDifference.Between(one, two).ShouldContain(new ConfigurationDifference("Callers[B]:Roles", true, "Modality", null));
    }

    [Fact]
    public void A_secret_that_changed_is_told_and_not_shown()
    {
        GatewayOptions one = new(), two = new();
        one.Database.Password = "first";
        two.Database.Password = "second";
        ConfigurationDifference difference = ConfigurationDifference.Between(one, two).ShouldHaveSingleItem();
        difference.ToString().ShouldBe("Database:Password: (secret) -> (secret)");
        difference.IsLive.ShouldBeFalse();
    }

    [Fact]
    public void The_order_of_rules_is_a_difference_because_the_first_one_decides()
    {
        GatewayOptions one = new(), two = new();
        one.Routes = [new RouteOptions { Name = "ct" }, new RouteOptions { Name = "rest" }];
        two.Routes = [new RouteOptions { Name = "rest" }, new RouteOptions { Name = "ct" }];
        ConfigurationDifference.Between(one, two).ShouldHaveSingleItem().ToString().ShouldBe("Routes: ct, rest -> rest, ct");
    }

    [Fact]
    public void What_waits_for_a_restart_stays_as_it_runs_and_the_rest_is_as_wanted()
    {
        GatewayOptions running = new(), wanted = Callers("A");
        running.Listen.Port = 104;
        wanted.Listen.Port = 105;
        wanted.Listen.MaxAssociations = 7;
        wanted.Database.Kind = DatabaseKind.PostgreSql;
        GatewayOptions effective = ConfigurationDifference.TakeLive(running, wanted);
        (effective.Listen.Port, effective.Listen.MaxAssociations, effective.Database.Kind, effective.Callers.Count).ShouldBe((104, 7, DatabaseKind.Sqlite, 1));
    }

    [Fact]
    public void What_is_printed_without_secrets_reads_as_the_same_configuration()
    {
        GatewayOptions options = Callers("A");
        options.Listen.AETitles.Add("PSG");
        options.Database.Password = "s3cret";
        options.Routes = [new RouteOptions { Name = "ct", Tags = { ["Modality"] = "CT" } }];
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, GatewayConfiguration.PrintWithoutSecrets(options));
            var problems = new List<ConfigurationProblem>();
            GatewayOptions read = GatewayConfiguration.Read(file, problems)!;
            problems.ShouldBeEmpty();
            ConfigurationDifference.Between(options, read).ShouldHaveSingleItem().Path.ShouldBe("Database:Password");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_key_ring_beside_the_data_is_warned_of_and_one_apart_is_not()
    {
        var options = new GatewayOptions { DataFolder = Path.Combine(Path.GetTempPath(), "psg-data") };
        KeyPlace.Warnings(options).ShouldHaveSingleItem().ShouldContain("DataFolder");
        options.Keys.RingPath = Path.Combine(Path.GetTempPath(), "psg-keys", "keyring.json");
        KeyPlace.Warnings(options).ShouldBeEmpty();
        options.Spool.Folder = Path.Combine(Path.GetTempPath(), "psg-keys");
        KeyPlace.Warnings(options).ShouldHaveSingleItem().ShouldContain("Spool:Folder");
    }

    private static GatewayOptions Callers(params string[] titles) => new()
    {
        Callers = [.. titles.Select(static t => new CallerOptions { AETitle = t, Roles = [Role.Modality] })],
    };
}
