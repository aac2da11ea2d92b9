namespace PacsStegoGateway.Dicom;

/// <summary>The File Meta Information of Part 10 files (PS3.10 7.1) as this product writes it.</summary>
public static class FileMeta
{
    /// <summary>Bytes before the prefix "DICM".</summary>
    public const int PreambleLength = 128;

    /// <summary>(0002,0012) and the association's Implementation Class UID (PS3.7 D.3.3.2): this product, all versions.</summary>
    public const string ImplementationClassUID = "2.25.77607099585974556610598108395935882660";

    /// <summary>(0002,0013) Implementation Version Name, at most 16 characters.</summary>
    public const string ImplementationVersionName = "PSG_0_1";

    internal static ReadOnlySpan<byte> Magic => "DICM"u8;

    /// <summary>The meta group for an object that this product writes, group length included.</summary>
    /// <param name="sopClassUID">(0002,0002).</param>
    /// <param name="sopInstanceUID">(0002,0003).</param>
    /// <param name="transferSyntaxUID">(0002,0010).</param>
    /// <param name="sourceAE">(0002,0016), the AE title that sent the object; null leaves the element out.</param>
    public static DataSet Create(string sopClassUID, string sopInstanceUID, string transferSyntaxUID, string? sourceAE = null)
    {
        var meta = new DataSet();
        meta.Set(Element.Raw(Tags.FileMetaInformationVersion, Vr.OB, new byte[] { 0, 1 }));
        meta.SetText(Tags.MediaStorageSOPClassUID, sopClassUID);
        meta.SetText(Tags.MediaStorageSOPInstanceUID, sopInstanceUID);
        meta.SetText(Tags.TransferSyntaxUID, transferSyntaxUID);
        meta.SetText(Tags.ImplementationClassUID, ImplementationClassUID);
        meta.SetText(Tags.ImplementationVersionName, ImplementationVersionName);
        if (sourceAE is not null)
        {
            meta.SetText(Tags.SourceApplicationEntityTitle, sourceAE);
        }

        SetGroupLength(meta);
        return meta;
    }

    /// <summary>Sets (0002,0000) to the bytes of the elements after it; to be called after a change.</summary>
    public static void SetGroupLength(DataSet meta)
    {
        meta.Remove(Tags.FileMetaInformationGroupLength);
        meta.Set(Element.UInt32(Tags.FileMetaInformationGroupLength, (uint)DataSetWriter.LengthOf(meta, TransferSyntax.ExplicitVRLittleEndian)));
    }

    /// <summary>
    /// What stands before the data set in a Part 10 file: an empty preamble, "DICM" and the meta group. These bytes
    /// followed by a data set as a C-STORE carries it are a complete file.
    /// </summary>
    public static byte[] Prefix(string sopClassUID, string sopInstanceUID, string transferSyntaxUID, string? sourceAE = null)
    {
        ByteSource meta = DataSetWriter.ToSource(Create(sopClassUID, sopInstanceUID, transferSyntaxUID, sourceAE), ElementEncoding.ExplicitLittleEndian);
        return [.. new byte[PreambleLength], .. Magic, .. meta.Load().Span];
    }
}
