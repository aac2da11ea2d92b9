using PacsStegoGateway.Commands;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Routing;
using PacsStegoGateway.Tests.Gateway;

namespace PacsStegoGateway.Tests.Commands;

public sealed class RouteCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-route-").FullName;

    [Fact]
    public async Task Files_and_folders_are_tried_against_the_rules_and_nothing_is_sent()
    {
        string config = Write("gateway.json", """
            {
              "Callers": [ { "AETitle": "CT1", "Roles": [ "modality" ] } ],
              "Pacs": { "AETitle": "PACS", "Host": "nowhere.invalid" },
              "Routes": [ { "Name": "ct", "Modalities": [ "CT" ], "CallingAETitles": [ "CT1" ], "Destinations": [ "PACS" ] } ]
            }
            """u8.ToArray());
        string image = Write("one", new DicomFile(
            FileMeta.Create(SopClasses.CTImageStorage, SampleObjects.SopUID(1), TransferSyntax.ExplicitVRLittleEndian.UID), SampleObjects.Create(1)).ToArray());
        (await CommandLine.RunAsync(["route", image, "--config", config, "--calling", "CT1"])).ShouldBe(ExitCode.Done);
        (await CommandLine.RunAsync(["route", image, "--config", config, "--json"])).ShouldBe(ExitCode.Done);
        (await CommandLine.RunAsync(["route", image, config, "--config", config])).ShouldBe(ExitCode.SomeFailed);
        (await CommandLine.RunAsync(["route", image, "--config", config, "--set", "Routes:0:Destinations:0=ELSEWHERE"])).ShouldBe(ExitCode.Misused);
    }

    [Fact]
    public void A_way_is_told_by_outcome_rule_and_destinations()
    {
        var options = new GatewayOptions
        {
            Pacs = { AETitle = "PACS" },
            Routes = [new() { Name = "sr", Modalities = ["SR"], Refuse = true }, new() { Name = "ct", Modalities = ["CT"], Destinations = ["PACS"] }],
        };
        RouteCommand.Way[] ways = [.. ((string[])["SR", "CT", "US"]).Select(modality =>
        {
            var dataSet = new DataSet();
            dataSet.SetText(Tags.Modality, modality);
            return RouteCommand.Describe(modality, new RouteTable(options).Decide("PSG", "CT1", dataSet));
        })];
        ways.Select(static w => (w.Outcome, w.Rule)).ShouldBe([("refused", "sr"), ("sent", "ct"), ("noRoute", null)]);
        ways[1].Destinations.ShouldBe(["PACS"]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
