using System.Buffers;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

/// <summary>Small objects and commands that the tests send.</summary>
internal static class TestObjects
{
    public const string InstanceUID = "1.2.826.0.1.3680043.10.1.1";

    /// <summary>A CT whose pixel data has the given number of rows of 512 16-bit samples, deterministic.</summary>
    public static DataSet Ct(string instanceUID = InstanceUID, int rows = 16)
    {
        byte[] pixels = new byte[rows * 512 * 2];
        new Random(rows).NextBytes(pixels);
        var ct = new DataSet();
        ct.SetText(Tags.SOPClassUID, SopClasses.CTImageStorage);
        ct.SetText(Tags.SOPInstanceUID, instanceUID);
        ct.SetText(Tags.StudyDate, "20240102");
        ct.SetText(Tags.StudyTime, "030405");
        ct.SetText(Tags.AccessionNumber, "A1");
        ct.SetText(Tags.Modality, "CT");
        ct.SetText(Tags.PatientName, "PHANTOM^ONE");
        ct.SetText(Tags.PatientID, "P-1");
        ct.SetText(Tags.StudyInstanceUID, "1.2.826.0.1.3680043.10.1");
        ct.SetText(Tags.SeriesInstanceUID, "1.2.826.0.1.3680043.10.1.0");
        ct.SetText(Tags.StudyID, "S1");
        ct.SetText(Tags.SeriesNumber, "1");
        ct.SetText(Tags.InstanceNumber, "1");
        ct.Set(Element.UInt16(Tags.SamplesPerPixel, 1));
        ct.SetText(Tags.PhotometricInterpretation, "MONOCHROME2");
        ct.Set(Element.UInt16(Tags.Rows, (ushort)rows));
        ct.Set(Element.UInt16(Tags.Columns, 512));
        ct.Set(Element.UInt16(Tags.BitsAllocated, 16));
        ct.Set(Element.UInt16(Tags.BitsStored, 16));
        ct.Set(Element.UInt16(Tags.HighBit, 15));
        ct.Set(Element.UInt16(Tags.PixelRepresentation, 0));
        ct.Set(Element.Raw(Tags.PixelData, Vr.OW, pixels));
        return ct;
    }

    public static byte[] CtBytes(string instanceUID = InstanceUID, int rows = 16) =>
        DataSetWriter.ToArray(Ct(instanceUID, rows), TransferSyntax.ExplicitVRLittleEndian);

    public static DataSet StudyQuery(string studyInstanceUID = "")
    {
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "STUDY");
        identifier.SetText(Tags.PatientID, "");
        identifier.SetText(Tags.StudyInstanceUID, studyInstanceUID);
        return identifier;
    }

    public static CommandSet Echo(ushort messageID) => CommandSet.Request(CommandField.CEchoRq, messageID, SopClasses.Verification, hasDataSet: false);

    public static CommandSet Store(ushort messageID, string instanceUID = InstanceUID)
    {
        CommandSet command = CommandSet.Request(CommandField.CStoreRq, messageID, SopClasses.CTImageStorage, hasDataSet: true);
        command.SetText(Tags.AffectedSOPInstanceUID, instanceUID);
        return command;
    }

    public static CommandSet Find(ushort messageID) => CommandSet.Request(CommandField.CFindRq, messageID, SopClasses.StudyRootFind, hasDataSet: true);

    public static CommandSet Move(ushort messageID, string destination = "DEST")
    {
        CommandSet command = CommandSet.Request(CommandField.CMoveRq, messageID, SopClasses.StudyRootMove, hasDataSet: true);
        command.SetText(Tags.MoveDestination, destination);
        return command;
    }

    public static CommandSet Get(ushort messageID) => CommandSet.Request(CommandField.CGetRq, messageID, SopClasses.StudyRootGet, hasDataSet: true);

    public static ReadOnlySequence<byte> Sequence(byte[] bytes) => new(bytes);

    /// <summary>Waits for a condition that another thread brings about.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            deadline.IsCancellationRequested.ShouldBeFalse($"It never came about that {what}.");
            await Task.Delay(5, CancellationToken.None);
        }
    }
}
