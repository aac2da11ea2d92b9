namespace PacsStegoGateway.Protection;

/// <summary>
/// Why an instance was not accepted, not protected or not revealed: said once here, translated at each edge by one
/// table (DIMSE status, HTTP status, audit outcome, exit code, worth a retry or not).
/// </summary>
public enum RefusalReason
{
    /// <summary>No refusal.</summary>
    None = 0,

    /// <summary>The bytes are not a well-formed data set, or are cut short.</summary>
    MalformedDataSet,

    /// <summary>SOP Class or Instance UID of the data set is not the one that the command announced.</summary>
    DataSetDoesNotMatchCommand,

    /// <summary>A mandatory identifier (SOP class, instance, series or study UID) is missing or not a UID.</summary>
    MissingIdentifier,

    /// <summary>Private, retired or unknown SOP class, or a kind of object that has no de-identification rule yet.</summary>
    UnsupportedObject,

    /// <summary>The object has no pixel data in which the identity could be hidden.</summary>
    NoPixelData,

    /// <summary>The pixel data cannot be read as grayscale planes: colour, an unusual layout, or compressed without a decoder here.</summary>
    PixelsNotDecodable,

    /// <summary>Burned In Annotation says that the pixels themselves show identity.</summary>
    BurnedInIdentity,

    /// <summary>The image is one that this gateway protected: it belongs in the PACS, not at the door.</summary>
    AlreadyProtected,

    /// <summary>No background was found that may carry data, or too little.</summary>
    NoBackground,

    /// <summary>The result could not be proved: what was hidden did not come back exactly. Nothing leaves.</summary>
    ProofFailed,

    /// <summary>The same SOP Instance UID arrived before with other content.</summary>
    ConflictingContent,

    /// <summary>Nothing is hidden in this image, or it is damaged beyond reading.</summary>
    NothingHidden,

    /// <summary>Something is hidden, but none of our keys opens it.</summary>
    KeyUnavailable,

    /// <summary>The identity was read, but the pixels are not those that were sent out: no original can be given.</summary>
    PixelsAltered,

    /// <summary>The restored data set is not, bit for bit, the one that was received: no original can be given.</summary>
    OriginalNotProven,

    /// <summary>Disk, quota or queue is full. Temporary.</summary>
    OutOfResources,

    /// <summary>The database cannot be reached. Temporary.</summary>
    StoreUnavailable,

    /// <summary>The caller may not do this.</summary>
    NotAuthorized,

    /// <summary>The downstream PACS refused the object for good.</summary>
    RefusedByDestination,

    /// <summary>The object is longer than is accepted.</summary>
    TooLarge,

    /// <summary>Our file of the object is damaged, or was exchanged.</summary>
    SpoolFileDamaged,

    /// <summary>There are routing rules, and none of them holds for the object.</summary>
    NoRoute,

    /// <summary>A routing rule says that such objects go nowhere.</summary>
    RefusedByRoute,
}
