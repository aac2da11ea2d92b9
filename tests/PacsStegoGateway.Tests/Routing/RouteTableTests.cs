using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Routing;

namespace PacsStegoGateway.Tests.Routing;

public sealed class RouteTableTests
{
    [Fact]
    public void Without_rules_everything_goes_to_the_PACS_unread()
    {
        RouteDecision.To to = new RouteTable(Options()).Decide("PSG", "CT1", ByteSource.Of(new byte[] { 1, 2, 3 }), TransferSyntax.ExplicitVRLittleEndian)
            .ShouldBeOfType<RouteDecision.To>();
        to.Rule.ShouldBeNull();
        to.Destinations.ShouldBe(["PACS"]);
        to.Profile.ShouldBe("basic");
    }

    [Fact]
    public void The_first_rule_that_holds_decides()
    {
        GatewayOptions options = Options(
            new RouteOptions { Name = "one", CallingAETitles = ["MR*"], Destinations = ["A"] },
            new RouteOptions { Name = "two", Modalities = ["CT", "MR"], Destinations = ["A", "PACS"] },
            new RouteOptions { Name = "three", CalledAETitles = ["OTHER"], Refuse = true },
            new RouteOptions { Name = "four", Modalities = ["CT"], Destinations = ["PACS"] });
        RuleOf(options, "PSG", "MR7", Image("CT")).ShouldBe("one");
        RuleOf(options, "PSG", "CT1", Image("CT")).ShouldBe("two");
        new RouteTable(options).Decide("OTHER", "CT1", Image("US")).ShouldBe(new RouteDecision.Refused("three"));
        new RouteTable(options).Decide("PSG", "CT1", Image("US")).ShouldBeOfType<RouteDecision.NoRoute>();
        new RouteTable(options).Decide("PSG", "CT1", new DataSet()).ShouldBeOfType<RouteDecision.NoRoute>();
    }

    [Theory]
    [InlineData("StudyDescription", "*TRIAL*", "A TRIAL B", true)]
    [InlineData("StudyDescription", "*TRIAL*", "A Trial B", false)]
    [InlineData("00081030", "TRIAL ?", "TRIAL 3", true)]
    [InlineData("studydescription", "TRIAL ?", "TRIAL 33", false)]
    [InlineData("StudyDescription", "ONE\\TWO", "TWO", true)]
    [InlineData("StudyDescription", "*", null, true)]
    [InlineData("StudyDescription", "?*", null, false)]
    [InlineData("StudyDescription", "?*", "", false)]
    [InlineData("ImageType", "DERIVED", "DERIVED\\SECONDARY", true)]
    [InlineData("ImageType", "SECOND*", "DERIVED\\SECONDARY", true)]
    [InlineData("ImageType", "DERIVED\\SECONDARY", "ORIGINAL\\PRIMARY", false)]
    [InlineData("PatientName", "*^ada", "LOVELACE^ADA", true)]
    [InlineData("StudyDate", "20240101-20241231", "20240229", true)]
    [InlineData("StudyDate", "20240101-20241231", "20250101", false)]
    [InlineData("SOPClassUID", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2", true)]
    public void Attributes_match_as_in_a_query_and_one_of_several_values_is_enough(string tag, string pattern, string? value, bool holds)
    {
        var dataSet = new DataSet();
        RouteCondition.TryFindTag(tag, out Tag found).ShouldBeTrue();
        if (value is not null)
        {
            dataSet.SetText(found, value);
        }

        new RouteCondition(new RouteOptions { Tags = { [tag] = pattern } }).Holds("PSG", "CT1", dataSet).ShouldBe(holds);
    }

    [Fact]
    public void Numbers_and_private_attributes_can_be_asked_for()
    {
        var dataSet = new DataSet();
        dataSet.Set(Element.UInt16(Tags.Rows, 512));
        dataSet.Set(Element.Text(new Tag(0x0029, 0x0010), Vr.LO, "SIEMENS CSA HEADER", null));
        new RouteCondition(new RouteOptions { Tags = { ["Rows"] = "512", ["00290010"] = "SIEMENS*" } }).Holds("", "", dataSet).ShouldBeTrue();
        new RouteCondition(new RouteOptions { Tags = { ["Rows"] = "256", ["00290010"] = "SIEMENS*" } }).Holds("", "", dataSet).ShouldBeFalse();
    }

    [Fact]
    public void A_long_text_with_backslashes_is_one_value()
    {
        var dataSet = new DataSet();
        dataSet.SetText(Tags.ImageComments, "C:\\TRIAL\\7");
        new RouteCondition(new RouteOptions { Tags = { ["ImageComments"] = "*TRIAL*7" } }).Holds("", "", dataSet).ShouldBeTrue();
        new RouteCondition(new RouteOptions { Tags = { ["ImageComments"] = "TRIAL" } }).Holds("", "", dataSet).ShouldBeFalse();
    }

    [Fact]
    public void Of_a_received_object_nothing_behind_the_last_attribute_asked_for_is_read()
    {
        DataSet image = Image("CT");
        image.Set(Element.Raw(Tags.PixelData, Vr.OW, new byte[1 << 20]));
        byte[] bytes = DataSetWriter.ToArray(image, TransferSyntax.ExplicitVRLittleEndian);
        var table = new RouteTable(Options(new RouteOptions { Name = "CT", Modalities = ["CT"], Destinations = ["A"] }));
        using var counted = new CountedSource(bytes);
        table.Decide("PSG", "CT1", counted, TransferSyntax.ExplicitVRLittleEndian).ShouldBeOfType<RouteDecision.To>().Rule.ShouldBe("CT");
        counted.BytesRead.ShouldBeLessThan(70_000);
    }

    [Fact]
    public void Bytes_that_are_no_data_set_are_said_to_be_none() =>
        Should.Throw<DicomContentException>(() => new RouteTable(Options(new RouteOptions { Name = "CT", Modalities = ["CT"], Destinations = ["A"] }))
            .Decide("PSG", "CT1", ByteSource.Of(new byte[] { 8, 0, 0x60, 0, 0x43, 0x53, 0xFF, 0xFF, 1 }), TransferSyntax.ExplicitVRLittleEndian));

    private static string? RuleOf(GatewayOptions options, string called, string calling, DataSet dataSet) =>
        new RouteTable(options).Decide(called, calling, dataSet).ShouldBeOfType<RouteDecision.To>().Rule;

    private static GatewayOptions Options(params RouteOptions[] rules) =>
        new() { Pacs = { AETitle = "PACS" }, Destinations = [new DestinationOptions { AETitle = "A" }], Routes = [.. rules] };

    private static DataSet Image(string modality)
    {
        var dataSet = new DataSet();
        dataSet.SetText(Tags.Modality, modality);
        return dataSet;
    }

    private sealed class CountedSource(byte[] bytes) : ByteSource
    {
        public long BytesRead { get; private set; }

        public override long Length => bytes.Length;

        protected internal override void ReadInside(long offset, Span<byte> destination)
        {
            BytesRead += destination.Length;
            bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
        }
    }
}
