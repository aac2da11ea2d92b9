using System.Text;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Tests.Protection;

public sealed class ProtectAndRevealTests(RoomsFixture fixture) : IClassFixture<RoomsFixture>
{
    [Fact]
    public void Every_phantom_comes_back_bit_for_bit()
    {
        foreach (PhantomInstance phantom in fixture.Phantoms)
        {
            ProtectedInstance instance = fixture.Protect(phantom);
            DataSet stored = DataSetReader.Read(instance.DataSet, instance.TransferSyntax);
            RevealedInstance original = fixture.Rooms.Revealer.Reveal(stored, TransferSyntax.ExplicitVRLittleEndian).ShouldBeOfType<RevealOutcome.Revealed>().Original;
            original.DataSet.ToArray().ShouldBe(RoomsFixture.Encode(phantom), phantom.RelativePath);
            original.TransferSyntax.ShouldBe(phantom.TransferSyntax);
            original.SOPInstanceUID.ShouldBe(phantom.SopInstanceUID);
        }
    }

    [Fact]
    public void No_identifying_text_occurs_anywhere_in_the_protected_bytes()
    {
        Tag[] identifying =
        [
            Tags.PatientName, Tags.PatientID, Tags.IssuerOfPatientID, Tags.PatientBirthDate, Tags.AccessionNumber, Tags.ReferringPhysicianName,
            Tags.StudyInstanceUID, Tags.SeriesInstanceUID, Tags.SOPInstanceUID, Tags.FrameOfReferenceUID, Tags.InstitutionName,
        ];
        foreach (PhantomInstance phantom in fixture.Phantoms)
        {
            byte[] part10 = fixture.Protect(phantom).ToPart10("PSG").ToArray();
            foreach (Tag tag in identifying)
            {
                byte[]? value = phantom.DataSet.Find(tag)?.Value.ToArray();
                if (value is { Length: >= 4 })
                {
                    string text = Encoding.Latin1.GetString(value).TrimEnd('\0', ' ');
                    part10.AsSpan().IndexOf(Encoding.Latin1.GetBytes(text)).ShouldBe(-1, $"{tag} of {phantom.RelativePath}");
                }
            }
        }
    }

    [Fact]
    public void The_protected_object_says_what_was_done_to_it()
    {
        DataSet stored = Stored(fixture.Phantoms[0]);
        stored.GetText(Tags.PatientIdentityRemoved).ShouldBe("YES");
        stored.Find(Tags.DeidentificationMethodCodeSequence)!.Items!.ShouldContain(i => i.GetText(Tags.CodeValue) == "113100");
        stored.GetTexts(Tags.ImageType)[0].ShouldBe("DERIVED");
        stored.GetText(Tags.DerivationDescription).ShouldNotBeNullOrEmpty();
        stored.Find(Tags.EncryptedAttributesSequence)!.Items!.Count.ShouldBe(1);
    }

    [Fact]
    public void The_same_instance_gets_the_same_identifiers_every_time()
    {
        ProtectedInstance first = fixture.Protect(fixture.Phantoms[0]);
        ProtectedInstance second = fixture.Protect(fixture.Phantoms[0]);
        second.SOPInstanceUID.ShouldBe(first.SOPInstanceUID);
        second.StudyInstanceUID.ShouldBe(first.StudyInstanceUID);
        second.PatientID.ShouldBe(first.PatientID);
        second.DataSet.ShouldNotBe(first.DataSet, "nonces differ");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_PACS_that_encodes_the_data_set_anew_does_not_spoil_the_original(bool toImplicit)
    {
        TransferSyntax other = toImplicit ? TransferSyntax.ImplicitVRLittleEndian : TransferSyntax.ExplicitVRLittleEndian;
        foreach (PhantomInstance phantom in fixture.Phantoms)
        {
            DataSet anew = DataSetReader.Read(DataSetWriter.ToArray(Stored(phantom), other), other);
            fixture.Rooms.Revealer.Reveal(anew, other).ShouldBeOfType<RevealOutcome.Revealed>().Original.DataSet.ToArray().ShouldBe(RoomsFixture.Encode(phantom));
        }
    }

    [Fact]
    public void What_a_PACS_adds_or_coerces_in_short_attributes_is_dropped_again()
    {
        DataSet stored = Stored(fixture.Phantoms[0]);
        stored.SetText(Tags.InstitutionName, "ADDED BY THE ARCHIVE");
        stored.SetText(Tags.PatientID, "MERGED");
        stored.Set(Element.Text(new Tag(0x0009, 0x0010), Vr.LO, "ARCHIVE PRIVATE"));
        fixture.Rooms.Revealer.Reveal(stored, TransferSyntax.ExplicitVRLittleEndian).ShouldBeOfType<RevealOutcome.Revealed>().Original.DataSet.ToArray().ShouldBe(RoomsFixture.Encode(fixture.Phantoms[0]));
    }

    [Fact]
    public void From_the_symbol_alone_pixels_and_essential_identifiers_come_back()
    {
        foreach (PhantomInstance phantom in fixture.Phantoms)
        {
            DataSet stored = Stored(phantom);
            stored.Remove(Tags.EncryptedAttributesSequence);
            RevealedInstance instance = fixture.Rooms.Revealer.Reveal(stored, TransferSyntax.ExplicitVRLittleEndian).ShouldBeOfType<RevealOutcome.RevealedFromSymbolAlone>().Instance;
            DataSet restored = DataSetReader.Read(instance.DataSet, instance.TransferSyntax);
            foreach (Tag tag in (Tag[])[Tags.PatientName, Tags.PatientID, Tags.PatientBirthDate, Tags.PatientSex, Tags.AccessionNumber,
                Tags.StudyInstanceUID, Tags.SeriesInstanceUID, Tags.SOPInstanceUID])
            {
                restored.Find(tag)!.Value.ToArray().ShouldBe(phantom.DataSet.Find(tag)!.Value.ToArray(), tag.ToString());
            }

            restored.Find(Tags.PixelData)!.Value.Span.SequenceEqual(phantom.DataSet.Find(Tags.PixelData)!.Value.Span).ShouldBeTrue();
            restored.GetText(Tags.PatientIdentityRemoved).ShouldBe("NO");
            restored.Contains(Tags.DeidentificationMethod).ShouldBeFalse();
        }
    }

    [Fact]
    public void Altered_pixels_still_tell_whose_they_are_but_are_never_given_out_as_the_original()
    {
        DataSet stored = Stored(fixture.Phantoms[0]);
        Element pixels = stored.Find(Tags.PixelData)!;
        byte[] altered = pixels.Value.ToArray();
        altered[altered.Length / 2] ^= 1;
        stored.Set(Element.Raw(Tags.PixelData, pixels.Vr, altered));
        RevealOutcome.NotRevealed refused = fixture.Rooms.Revealer.Reveal(stored, TransferSyntax.ExplicitVRLittleEndian).ShouldBeOfType<RevealOutcome.NotRevealed>();
        refused.Reason.ShouldBe(RefusalReason.PixelsAltered);
        refused.Identity!.Values.GetText(Tags.PatientName).ShouldBe(fixture.Phantoms[0].DataSet.GetText(Tags.PatientName));
        refused.ToString().ShouldNotContain(fixture.Phantoms[0].DataSet.GetText(Tags.PatientID)!);
    }

    [Fact]
    public void Encrypted_Attributes_of_another_image_are_not_taken_for_this_ones()
    {
        DataSet stored = Stored(fixture.Phantoms[0]);
        stored.Set(Stored(fixture.Phantoms[1]).Find(Tags.EncryptedAttributesSequence)!);
        fixture.Rooms.Revealer.Reveal(stored, TransferSyntax.ExplicitVRLittleEndian).ShouldBeOfType<RevealOutcome.NotRevealed>().Reason.ShouldBe(RefusalReason.OriginalNotProven);
    }

    [Fact]
    public void Another_key_ring_reveals_nothing()
    {
        using ProtectionRooms strangers = fixture.Strangers();
        RevealOutcome.NotRevealed refused = strangers.Revealer.Reveal(Stored(fixture.Phantoms[0]), TransferSyntax.ExplicitVRLittleEndian).ShouldBeOfType<RevealOutcome.NotRevealed>();
        refused.Reason.ShouldBe(RefusalReason.NothingHidden);
        refused.Identity.ShouldBeNull();
    }

    [Fact]
    public void An_object_protected_by_another_site_keeps_that_sites_sealed_items()
    {
        PhantomInstance phantom = fixture.Phantoms[0];
        using ProtectionRooms strangers = fixture.Strangers();
        ProtectedInstance theirs = strangers.Protector.Protect(RoomsFixture.Encode(phantom), phantom.TransferSyntax).ShouldBeOfType<ProtectionOutcome.Protected>().Instance;
        ProtectedInstance ours = fixture.Rooms.Protector.Protect(theirs.DataSet.Load(), theirs.TransferSyntax).ShouldBeOfType<ProtectionOutcome.Protected>().Instance;
        DataSet stored = DataSetReader.Read(ours.DataSet, ours.TransferSyntax);
        stored.Find(Tags.EncryptedAttributesSequence)!.Items!.Count.ShouldBe(2);
        fixture.Rooms.Revealer.Reveal(stored, TransferSyntax.ExplicitVRLittleEndian).ShouldBeOfType<RevealOutcome.Revealed>().Original.DataSet.ToArray().ShouldBe(theirs.DataSet.ToArray());
    }

    [Fact]
    public void Many_threads_protect_and_reveal_at_once()
    {
        Parallel.For(0, 12, i =>
        {
            PhantomInstance phantom = fixture.Phantoms[i % fixture.Phantoms.Count];
            ProtectedInstance instance = fixture.Protect(phantom);
            fixture.Rooms.Revealer.Reveal(DataSetReader.Read(instance.DataSet, instance.TransferSyntax), instance.TransferSyntax)
                .ShouldBeOfType<RevealOutcome.Revealed>().Original.DataSet.ToArray().ShouldBe(RoomsFixture.Encode(phantom));
        });
    }

    [Fact]
    public void Every_real_image_is_either_protected_and_proved_or_refused_with_a_reason()
    {
        string[] files = [.. Directory.EnumerateFiles(SharedData.Require("data/train"), "*.dcm", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        int protectedCount = 0;
        var refused = new System.Collections.Concurrent.ConcurrentDictionary<RefusalReason, int>();
        Parallel.ForEach(files.Where(static (_, i) => i % 4 == 0), path =>
        {
            DicomFile file = DicomFile.Read(File.ReadAllBytes(path));
            switch (fixture.Rooms.Protector.Protect(DataSetWriter.ToArray(file.DataSet, file.TransferSyntax), file.TransferSyntax))
            {
                case ProtectionOutcome.Protected:
                    Interlocked.Increment(ref protectedCount);
                    break;
                case ProtectionOutcome.Quarantined quarantined:
                    refused.AddOrUpdate(quarantined.Reason, 1, static (_, n) => n + 1);
                    quarantined.Detail.ShouldNotBeNullOrWhiteSpace();
                    break;
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{protectedCount} protected; {string.Join(", ", refused)}");
        refused.ShouldNotContainKey(RefusalReason.ProofFailed);
        refused.ShouldNotContainKey(RefusalReason.MalformedDataSet);
        protectedCount.ShouldBeGreaterThan(files.Length / 8);
    }

    private DataSet Stored(PhantomInstance phantom)
    {
        ProtectedInstance instance = fixture.Protect(phantom);
        return DataSetReader.Read(instance.DataSet, instance.TransferSyntax);
    }
}
