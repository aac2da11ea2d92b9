using PacsStegoGateway.Dicom;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Tests.Protection;

public sealed class RefusalTests(RoomsFixture fixture) : IClassFixture<RoomsFixture>
{
    [Fact]
    public void A_truncated_data_set_is_refused_as_malformed()
    {
        PhantomInstance phantom = fixture.Phantoms[0];
        byte[] bytes = RoomsFixture.Encode(phantom);
        Refusal(bytes.AsMemory(0, bytes.Length - 1000), phantom.TransferSyntax).ShouldBe(RefusalReason.MalformedDataSet);
    }

    [Fact]
    public void A_private_SOP_class_is_refused() =>
        Refusal(d => d.SetText(Tags.SOPClassUID, "1.2.3.4.5")).ShouldBe(RefusalReason.UnsupportedObject);

    [Fact]
    public void A_Secondary_Capture_that_calls_itself_CT_is_refused() =>
        Refusal(d => d.SetText(Tags.SOPClassUID, "1.2.840.10008.5.1.4.1.1.7")).ShouldBe(RefusalReason.UnsupportedObject);

    [Fact]
    public void An_image_that_we_protected_already_is_refused()
    {
        ProtectedInstance instance = fixture.Protect(fixture.Phantoms[0]);
        Refusal(instance.DataSet.Load(), instance.TransferSyntax).ShouldBe(RefusalReason.AlreadyProtected);
    }

    [Theory]
    [InlineData("YES")]
    [InlineData("yes")]
    [InlineData("YES\\NO")]
    [InlineData("PERHAPS")]
    public void Burned_in_identity_is_refused(string annotation) =>
        Refusal(d => d.SetText(Tags.BurnedInAnnotation, annotation)).ShouldBe(RefusalReason.BurnedInIdentity);

    [Fact]
    public void Bytes_behind_the_pixels_are_refused() => Refusal(static d =>
        d.Set(Element.Raw(Tags.PixelData, Vr.OW, (byte[])[.. d.Find(Tags.PixelData)!.Value.Span, .. "Secret^Name 1951"u8])))
        .ShouldBe(RefusalReason.MalformedDataSet);

    [Fact]
    public void Data_in_bits_above_the_samples_is_refused() => Refusal(static d =>
    {
        d.Set(Element.UInt16(Tags.BitsStored, 12));
        d.Set(Element.UInt16(Tags.HighBit, 11));
        d.Set(Element.UInt16(Tags.PixelRepresentation, 0));
        byte[] pixels = new byte[d.Find(Tags.PixelData)!.Value.Length];
        pixels[1] = 0x50;
        d.Set(Element.Raw(Tags.PixelData, Vr.OW, pixels));
    }).ShouldBe(RefusalReason.BurnedInIdentity);

    [Theory]
    [InlineData(0x00080018)]
    [InlineData(0x00080016)]
    [InlineData(0x0020000D)]
    [InlineData(0x0020000E)]
    public void An_object_without_one_of_its_identifiers_is_refused(uint tag) =>
        Refusal(d => d.Remove(new Tag(tag))).ShouldBe(RefusalReason.MissingIdentifier);

    [Fact]
    public void An_object_without_pixels_is_refused() =>
        Refusal(d => d.Remove(Tags.PixelData)).ShouldBe(RefusalReason.NoPixelData);

    [Fact]
    public void Compressed_pixels_are_refused() =>
        Refusal(d => d.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], new byte[100]]))).ShouldBe(RefusalReason.PixelsNotDecodable);

    [Fact]
    public void Colour_is_refused() =>
        Refusal(d => d.Set(Element.UInt16(Tags.SamplesPerPixel, 3))).ShouldBe(RefusalReason.PixelsNotDecodable);

    [Fact]
    public void Fewer_pixels_than_announced_are_refused() =>
        Refusal(d => d.Set(Element.UInt16(Tags.Rows, 4096))).ShouldBe(RefusalReason.MalformedDataSet);

    [Fact]
    public void A_CT_whose_Hounsfield_units_are_unknown_is_refused() =>
        Refusal(d => d.Remove(Tags.RescaleIntercept)).ShouldBe(RefusalReason.PixelsNotDecodable);

    [Fact]
    public void A_modality_without_a_rule_is_refused() =>
        Refusal(d => d.SetText(Tags.Modality, "OT")).ShouldBe(RefusalReason.NoBackground);

    [Fact]
    public void An_image_without_background_is_refused() => Refusal(static d =>
    {
        byte[] bright = new byte[d.Find(Tags.PixelData)!.Value.Length];
        for (int i = 0; i < bright.Length; i += 2)
        {
            bright[i] = (byte)(0x40 + (i / 2 % 7));
            bright[i + 1] = 0x04;
        }

        d.Set(Element.Raw(Tags.PixelData, Vr.OW, bright));
    }).ShouldBe(RefusalReason.NoBackground);

    private RefusalReason Refusal(Action<DataSet> spoil)
    {
        DataSet spoiled = fixture.Phantoms[0].DataSet.Clone();
        spoil(spoiled);
        return Refusal(DataSetWriter.ToArray(spoiled, TransferSyntax.ExplicitVRLittleEndian), TransferSyntax.ExplicitVRLittleEndian);
    }

    private RefusalReason Refusal(ReadOnlyMemory<byte> bytes, TransferSyntax transferSyntax) =>
        fixture.Rooms.Protector.Protect(bytes, transferSyntax).ShouldBeOfType<ProtectionOutcome.Quarantined>().Reason;
}
