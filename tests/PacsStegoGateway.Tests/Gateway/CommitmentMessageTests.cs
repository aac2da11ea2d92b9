using PacsStegoGateway.Commitment;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Intake;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class CommitmentMessageTests
{
    private static readonly SopReference One = new(SopClasses.CTImageStorage, "1.2.3.1");
    private static readonly SopReference Two = new(SopClasses.CTImageStorage, "1.2.3.2");
    private static readonly SopReference Three = new(SopClasses.MRImageStorage, "1.2.3.3");

    [Fact]
    public void What_is_written_is_read_again_with_both_sequences_exact()
    {
        var result = new CommitmentMessage("2.25.7", [One, Three], [new FailedReference(Two, DimseStatus.NoSuchSOPInstance)]);
        result.EventTypeID.ShouldBe((ushort)2);
        DataSet information = result.ToInformation();
        CommitmentMessage read = CommitmentMessage.Read(information, isResult: true, 3, out DimseStatus wrong).ShouldNotBeNull();
        wrong.ShouldBe(DimseStatus.Success);
        read.TransactionUID.ShouldBe("2.25.7");
        read.References.ShouldBe([One, Three]);
        read.Failures.ShouldBe(result.Failures);

        var good = new CommitmentMessage("2.25.7", [One], []);
        good.EventTypeID.ShouldBe((ushort)1);
        good.ToInformation().Contains(Tags.FailedSOPSequence).ShouldBeFalse();
        new CommitmentMessage("2.25.7", [], result.Failures).ToInformation().Contains(Tags.ReferencedSOPSequence).ShouldBeFalse();
    }

    [Fact]
    public void Each_object_counts_once_and_what_stands_in_both_sequences_has_failed()
    {
        DataSet information = new CommitmentMessage("2.25.7", [One, Two, One], [new FailedReference(Two, DimseStatus.ProcessingFailure)]).ToInformation();
        CommitmentMessage read = CommitmentMessage.Read(information, isResult: true, 10, out _).ShouldNotBeNull();
        read.References.ShouldBe([One]);
        read.Failures.ShouldBe([new FailedReference(Two, DimseStatus.ProcessingFailure)]);
        CommitmentMessage.Read(information, isResult: false, 10, out _)!.Failures.ShouldBeEmpty();
    }

    [Fact]
    public void What_is_no_request_is_refused_and_too_long_a_one_for_want_of_room()
    {
        static DimseStatus WrongOf(DataSet? information, int most = 10)
        {
            CommitmentMessage.Read(information, isResult: true, most, out DimseStatus wrong).ShouldBeNull();
            return wrong;
        }

        WrongOf(null).ShouldBe(DimseStatus.InvalidArgumentValue);
        WrongOf([]).ShouldBe(DimseStatus.InvalidArgumentValue);
        WrongOf(new CommitmentMessage("not a UID", [One], []).ToInformation()).ShouldBe(DimseStatus.InvalidArgumentValue);
        WrongOf(new CommitmentMessage("2.25.7", [], []).ToInformation()).ShouldBe(DimseStatus.InvalidArgumentValue);
        WrongOf(new CommitmentMessage("2.25.7", [new SopReference("", "1.2")], []).ToInformation()).ShouldBe(DimseStatus.InvalidArgumentValue);
        WrongOf(new CommitmentMessage("2.25.7", [One with { SopInstanceUID = "../../etc" }], []).ToInformation()).ShouldBe(DimseStatus.InvalidArgumentValue);
        WrongOf(new CommitmentMessage("2.25.7", [], [new FailedReference(One with { SopInstanceUID = new string('1', 65) }, default)]).ToInformation())
            .ShouldBe(DimseStatus.InvalidArgumentValue);
        WrongOf(new CommitmentMessage("2.25.7", [One, Two, Three], []).ToInformation(), most: 2).ShouldBe(DimseStatus.ResourceLimitation);
    }

    [Fact]
    public void A_request_lies_sealed_and_its_failures_beside_it_by_place_alone()
    {
        var vault = new IdentityVault(SampleObjects.Keys);
        var request = new CommitmentMessage("2.25.7", [.. Enumerable.Range(0, 100_000).Select(static i => new SopReference(SopClasses.CTImageStorage, $"1.2.276.0.7230010.3.1.4.777{i}"))], []);
        byte[] closed = SealedRequest.Close(vault, request);
        closed.Length.ShouldBeLessThan(1 << 20);
        System.Text.Encoding.Latin1.GetString(closed).ShouldNotContain("7230010");
        CommitmentMessage opened = SealedRequest.Open(vault, closed).ShouldNotBeNull();
        opened.TransactionUID.ShouldBe("2.25.7");
        opened.References.ShouldBe(request.References);
        closed[^1] ^= 1;
        SealedRequest.Open(vault, closed).ShouldBeNull();

        byte[] failures = SealedRequest.Pack([(0, DimseStatus.NoSuchSOPInstance), (99_999, DimseStatus.ClassInstanceConflict)]);
        failures.Length.ShouldBe(12);
        CommitmentMessage result = SealedRequest.ResultOf(request, failures);
        result.References.Count.ShouldBe(99_998);
        result.Failures.ShouldBe([
            new FailedReference(request.References[0], DimseStatus.NoSuchSOPInstance),
            new FailedReference(request.References[^1], DimseStatus.ClassInstanceConflict),
        ]);
        SealedRequest.ResultOf(request, []).References.Count.ShouldBe(100_000);
    }
}
